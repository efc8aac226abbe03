/** Where a verb writes: the payload goes to `out`, everything else to `err`. */
export type Output = { readonly out: (text: string) => void; readonly err: (text: string) => void };

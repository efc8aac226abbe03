/** `already`: an earlier call had finished. `held`: all but the opening is done. `reversed`: opened, with the stream back in place. */
export type CutoverResult = { readonly kind: 'opened' | 'already' | 'held' | 'reversed'; readonly since: string };

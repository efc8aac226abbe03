/** Everything that apply and destroy report while they work. */
export type ApplyEvent =
  | { readonly kind: 'waiting-for-lock'; readonly database: string; readonly holder: string }
  | {
      readonly kind: 'group-started';
      readonly database: string;
      readonly group: string;
      readonly number: number;
      readonly of: number;
      readonly steps: readonly string[];
    }
  | {
      readonly kind: 'blocked';
      readonly database: string;
      readonly group: string;
      readonly attempt: number;
      readonly of: number;
      readonly holders: readonly string[];
    }
  | { readonly kind: 'group-applied'; readonly database: string; readonly group: string };

export type ApplyLog = (event: ApplyEvent) => void;

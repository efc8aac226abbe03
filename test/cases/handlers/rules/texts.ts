const LIMIT = 200;

/** The longer text that is not too long. */
export function longer(one: string, other?: string): string {
  const rest = other ?? '';
  return one.length >= rest.length || rest.length > LIMIT ? one : rest;
}

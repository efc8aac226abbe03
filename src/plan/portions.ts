/** Large enough that what is done for each costs nothing, small enough for the processor's cache. */
export const PORTION = 1 << 18;

/** A text piece by piece, no character cut in two: a plan may be so large that a second copy of it, as bytes, would cost more than what is done with it. */
export function* portionsOf(text: string, start = 0): Iterable<string> {
  for (let from = start, end = 0; from < text.length; from = end) {
    end = Math.min(from + PORTION, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    yield text.slice(from, end);
  }
}

/** The first half of a character that takes two units. */
function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

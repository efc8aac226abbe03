/** `1,234,567` */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Milliseconds as `8.1 ms` or `1.2 s`. */
export function seconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

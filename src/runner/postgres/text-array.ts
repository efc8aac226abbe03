/** A list of texts as the text of a PostgreSQL array, for a parameter of type `text[]`. */
export function textArray(list: readonly string[]): string {
  return `{${list.map((each) => `"${each.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
}

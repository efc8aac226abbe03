/** Some fact of a table, as each member has it. */
export type MemberValues = readonly (readonly [member: string, value: string])[];

/** `integer in east, north; bigint in west` when the members do not all have the same, else null. */
export function differenceOf(values: MemberValues): string | null {
  const groups = new Map<string, string[]>();
  for (const [member, value] of values) groups.set(value, [...(groups.get(value) ?? []), member]);
  if (groups.size < 2) return null;
  return [...groups].map(([value, members]) => `${value} in ${members.join(', ')}`).join('; ');
}

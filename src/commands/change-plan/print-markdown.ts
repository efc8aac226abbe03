import { type Group, groupSteps } from '../../runner/7-apply/groups.ts';
import type { ChangePlan } from '../../runner/6-diff/step.ts';
import { approvalText, copyText, effortText, groupLines, headline, type Shown } from './print-text.ts';
import { type CommentHeader, printHeader } from './comment-header.ts';

/** GitHub refuses comments of more than 65,536 characters; GitLab takes a million. */
export const LONGEST_COMMENT = 60_000;

type About = Shown & { readonly environment: string | null; readonly planHash: string };

/**
 * A change plan as the comment of a pull request: a header that machines read, the counts, what it would cost, and every transaction
 * folded. What is too long is left out; such a comment says so, and approves nothing.
 */
export function printMarkdown(changes: ChangePlan, about: About): string {
  const title = `### sarrio plan${about.environment === null ? '' : `: ${escaped(about.environment)}`}`;
  if (changes.steps.length === 0) return finished({ changes, about, isWhole: true, body: [title, '', 'No changes: the databases are as the plan says.'] });
  const head = [title, '', `**${headline(changes.steps)}**`, ...hazardTable(about)];
  const copies = changes.copies.length === 0 ? [] : ['', 'Then `sarrio run` copies:', ...changes.copies.map((copy) => `- ${code(copyText(copy))}`)];
  const groups = groupSteps(changes.steps).map(foldedGroup);
  const approve = ['', `Approve with: \`sarrio apply --expect ${changes.id}\``];
  const whole = finished({ changes, about, isWhole: true, body: [...head, ...groups, ...copies, ...approve] });
  return whole.length <= LONGEST_COMMENT ? whole : truncated({ changes, about, head, groups });
}

type Parts = { readonly changes: ChangePlan; readonly about: About; readonly head: readonly string[]; readonly groups: readonly string[] };

function truncated({ changes, about, head, groups }: Parts): string {
  const note = (count: number): readonly string[] => [
    '',
    `**Not all of it fits into a comment: ${count} of ${groups.length} transactions are not shown.** This comment approves nothing. Read the whole plan in the job's log or artefact, and approve it with \`sarrio apply --expect\` and the id that stands there.`,
  ];
  const print = (count: number): string => {
    const lines = [...head, ...groups.slice(0, count), ...note(groups.length - count)];
    return finished({ changes, about, isWhole: false, body: lines });
  };
  let kept = groups.length - 1;
  while (kept > 0 && print(kept).length > LONGEST_COMMENT) kept -= Math.max(1, Math.ceil(kept / 8));
  const text = print(Math.max(kept, 0));
  return text.length <= LONGEST_COMMENT ? text : finished({ changes, about, isWhole: false, body: [...head.slice(0, 3), ...note(groups.length)] });
}

function finished(parts: { changes: ChangePlan; about: About; isWhole: boolean; body: readonly string[] }): string {
  const { changes, about, isWhole, body } = parts;
  const header: CommentHeader = {
    project: changes.project,
    environment: about.environment,
    plan: about.planHash,
    change: isWhole ? changes.id : null,
    truncated: !isWhole,
  };
  return [printHeader(header), ...body, ''].join('\n');
}

function hazardTable({ hazards }: Shown): readonly string[] {
  if (hazards.length === 0) return ['', 'No hazards.'];
  const rows = hazards.map((hazard) => `| ${[hazard.name, hazard.database, hazard.evidence, approvalText(hazard)].map(cell).join(' | ')} |`);
  return ['', '| hazard | database | what | approval |', '|---|---|---|---|', ...rows];
}

function foldedGroup(group: Group): string {
  const statements = group.steps.flatMap(({ sql }) => (sql === '' ? [] : [sql.trim()])).join('\n\n');
  const fence = fenceFor(statements);
  return [
    '',
    `<details><summary>${escaped(`${group.database}: ${group.name} (${effortText(group)})`)}</summary>`,
    '',
    ...groupLines(group, { everyObject: true }).map((line) => `- ${code(line.trim())}`),
    ...(statements === '' ? [] : ['', `${fence}sql`, statements, fence]),
    '',
    '</details>',
  ].join('\n');
}

/** Names come from users' databases: nothing of them may become markup, a mention or a link. */
function escaped(text: string): string {
  return oneLine(text).replace(/[&<>"'`*_[\]\\@#|~]/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

function code(text: string): string {
  const line = oneLine(text);
  const fence = fenceFor(line, '`');
  return `${fence}${/^`|`$/.test(line) ? ` ${line} ` : line}${fence}`;
}

function cell(text: string): string {
  return code(text).replaceAll('|', '\\|');
}

/** Longer than every run of backticks inside. */
function fenceFor(text: string, least = '```'): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  return '`'.repeat(Math.max(least.length, longest + 1));
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

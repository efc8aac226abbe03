import { describe, expect, test } from 'vitest';
import { approvalsOf, approveEntry, hazardFaults, judgeHazards } from '../../src/commands/change-plan/approvals.ts';
import { readHeader } from '../../src/commands/change-plan/comment-header.ts';
import { LONGEST_COMMENT, printMarkdown } from '../../src/commands/change-plan/print-markdown.ts';
import { printSql } from '../../src/commands/change-plan/print.sql.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import type { Approval } from '../../src/plan/hazards.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Terms } from '../../src/plan/terms.ts';
import { reportLines } from '../../src/commands/print-apply.ts';
import { termsHazards } from '../../src/runner/6-diff/diff-terms.ts';
import { waitUntil } from '../support/wait.ts';
import { type ChangePlan, makeStep, type Step } from '../../src/runner/6-diff/step.ts';

const TODAY = '2026-11-27';

function changes(steps: readonly Step[]): ChangePlan {
  return { id: 'f'.repeat(64), project: 'sarrio', steps, warnings: [], copies: [], seals: new Map() };
}

function created(name: string, sql: string): Step {
  return makeStep({ database: 'shop', kind: 'create', object: { kind: 'table', name }, group: name, reason: 'not installed', sql });
}

function comment(steps: readonly Step[], environment: string | null = 'staging'): string {
  return printMarkdown(changes(steps), { hazards: [], today: TODAY, everyObject: true, environment, planHash: 'p'.repeat(64) });
}

describe('the comment of a pull request', () => {
  test('says in its first line what it approves', () => {
    const text = comment([created('sarrio.a', 'create table sarrio.a ();')]);
    expect(text.split('\n')[0]).toMatch(/^<!-- sarrio-plan \{.*\} -->$/);
    expect(readHeader(text)).toEqual({ project: 'sarrio', environment: 'staging', plan: 'p'.repeat(64), change: 'f'.repeat(64), truncated: false });
    expect(readHeader(text.replaceAll('\n', '\r\n'))?.change).toBe('f'.repeat(64));
  });

  test('is one sentence when nothing changes', () => {
    expect(comment([]).split('\n').slice(1).join('\n')).toBe('### sarrio plan: staging\n\nNo changes: the databases are as the plan says.\n');
  });

  test.each([3, 200, 5_000])('with %s large transactions stays within its bound, and what is not whole approves nothing', (count) => {
    const steps = Array.from({ length: count }, (_, index) => created(`sarrio.t${index}`, `-- ${'x'.repeat(30_000)}`));
    const text = comment(steps);
    expect(text.length).toBeLessThanOrEqual(LONGEST_COMMENT);
    expect(readHeader(text)).toMatchObject({ truncated: true, change: null });
    expect(text).not.toContain('f'.repeat(64));
    expect(text).toContain('This comment approves nothing');
  });

  test('of many hazards stays within its bound, too', () => {
    const hazards = Array.from({ length: 2_000 }, (_, index) => ({ code: 'drop-stream', object: `s/${index}`, evidence: 'x'.repeat(50) }) as const);
    const steps = [{ ...created('sarrio.a', ''), hazards }];
    const judged = judgeHazards(steps, approvalsOf({} as Plan, { allowed: [], today: TODAY }));
    const text = printMarkdown(changes(steps), { hazards: judged, today: TODAY, everyObject: true, environment: null, planHash: 'p' });
    expect(judged.length).toBe(2_000);
    expect(text.length).toBeLessThanOrEqual(LONGEST_COMMENT);
    expect(readHeader(text)?.truncated).toBe(true);
  });

  test('shows names of users as text, whatever they hold', () => {
    const name = 'sarrio."--> <script> | `x` @everyone\n## big"';
    const text = comment([created(name, `create table "\`\`\`\n</details>";`)], '--> <!-- @team');
    expect(readHeader(text)?.environment).toBe('--> <!-- @team');
    expect(text.replace(/(`+)[^`].*?\1/g, '')).not.toContain('<script>');
    expect(text).not.toMatch(/^## big/m);
    expect(text).toContain('````sql');
    expect(text.match(/-->/g)?.length).toBeLessThanOrEqual(2);
  });
});

test('SQL for people never runs what a name or reason holds', () => {
  const step = makeStep({
    database: 'shop',
    kind: 'remove',
    object: { kind: 'table', name: 'a\ndrop table users; --' },
    group: 'g\nh',
    reason: 'r\ns',
    sql: 'select 1;',
  });
  const lines = printSql(changes([step])).split('\n');
  expect(lines.filter((line) => line !== '' && !line.startsWith('--'))).toEqual(['begin;', 'select 1;', 'commit;']);
});

describe('approvals', () => {
  const hazard = { code: 'lock-table', object: 'public.orders', evidence: 'long', rows: 5_000_000 } as const;
  const steps = [{ ...created('sarrio.a', ''), hazards: [hazard] }];
  const judge = (approvals: readonly Approval[], allowed: readonly string[] = []) =>
    judgeHazards(steps, approvalsOf({ approvals } as unknown as Plan, { allowed, today: TODAY }));
  const entry = (rest: Partial<Approval>): Approval => ({ hazard: 'lock-table', object: 'public.orders', reason: 'at night', expires: TODAY, ...rest });

  test.each([
    ['nobody', [], [], null, null],
    ['this run', [], ['lock-table:public.orders'], 'run', null],
    ['another name', [], ['lock-table:public.order'], null, null],
    ['the config, on its last day', [entry({})], [], 'config', 'at night'],
    ['the config, a day later', [entry({ expires: '2026-11-26' })], [], null, 'its approval expired on 2026-11-26'],
    ['the config, for fewer rows', [entry({ upToRows: 4_999_999 })], [], null, 'its approval covers 4999999 rows, and there are about 5000000'],
    ['the config, for as many rows', [entry({ upToRows: 5_000_000 })], [], 'config', 'at night'],
    ['one of two', [entry({ expires: '2026-01-01' }), entry({ reason: 'again' })], [], 'config', 'again'],
    ['another object', [entry({ object: 'public.other' })], [], null, null],
  ] as const)('of %s', (_, approvals, allowed, approvedBy, reason) => {
    expect(judge(approvals, allowed)).toMatchObject([{ name: 'lock-table:public.orders', approvedBy, reason }]);
  });

  test('are offered as they would stand in the config, a month long', () => {
    expect(approveEntry({ code: 'drop-stream', object: `a/'b'` }, '2026-12-15')).toBe(
      `{ hazard: 'drop-stream', object: 'a/\\'b\\'', reason: '…', expires: '2027-01-14' }`,
    );
    expect(hazardFaults(judge([]), TODAY)).toMatchObject([{ code: 'SAR502', hint: expect.stringContaining("--allow 'lock-table:public.orders'") }]);
  });
});

describe('terms that change', () => {
  const terms: Terms = { columns: { id: 'id', mail: 'mail' }, where: null, rule: { strategy: 'stop' }, unique: null, exception: null, mask: ['mail'] };
  const last = { strategy: 'last-update-wins' };
  test.each([
    ['nothing', {}, []],
    ['a column more', { columns: { ...terms.columns, secret: 'secret' } }, ['expose-column:s/t.secret']],
    ['a column less', { columns: { id: 'id' } }, ['drop-column:s/t.mail']],
    ['a column from elsewhere', { columns: { id: 'id', mail: '(lower(mail))' } }, ['expose-column:s/t.mail']],
    ['a mask less', { mask: [] }, ['expose-column:s/t.mail']],
    ['a filter', { where: 'id > 7' }, ['change-filter:s/t']],
    ['a rule', { rule: last }, ['change-rule:s/t onConflict']],
    ['a function for a rule', { rule: { strategy: 'handler', does: 'a' } }, ['change-rule:s/t onConflict']],
    ['a rule for unique values', { unique: { strategy: 'park' } }, ['change-rule:s/t onUnique']],
    ['a function for exceptions', { exception: 'a' }, ['change-rule:s/t onException']],
  ] as const)('by %s', (_, change, names) => {
    expect(termsHazards('s/t', terms, { ...terms, ...change }).map(({ code, object }) => `${code}:${object}`)).toEqual(names);
  });

  test('to stop need nobody to agree, and a function that does something else is named as that', () => {
    const handled = { ...terms, rule: { strategy: 'handler', does: 'a' }, exception: 'x' };
    expect(termsHazards('s/t', { ...terms, rule: last }, terms)).toEqual([]);
    expect(termsHazards('s/t', handled, { ...handled, rule: { strategy: 'handler', does: 'b' }, exception: 'y' }).map(({ code }) => code)).toEqual([
      'change-handler',
      'change-handler',
    ]);
  });
});

describe('progress as JSON lines', () => {
  const written = (lines: string[]) => ({ out: (text: string) => void lines.push(text), err: () => undefined });

  test('ends with one line, on failure too, and beats while nothing happens', async () => {
    const lines: string[] = [];
    const beats = { now: 0, left: 2 };
    const clock = {
      now: () => beats.now,
      random: () => 0,
      sleep: async (ms: number, signal?: AbortSignal) => {
        if (beats.left === 0) return systemClock.sleep(60_000, signal);
        beats.left -= 1;
        beats.now += ms;
        return Promise.resolve();
      },
    };
    const fault = { code: 'SAR506', severity: 'error', message: 'no', hint: null, span: null, where: null } as const;
    const work = reportLines({ output: written(lines), clock }, async (log) => {
      await waitUntil('two beats are told', () => lines.length === 2);
      log({ kind: 'group-applied', database: 'shop', group: 'sarrio' });
      throw new SarrioError({ exit: 'partial', diagnostics: [fault] });
    });
    await expect(work).rejects.toThrow('SAR506');
    expect(lines.every((line) => line.endsWith('\n'))).toBe(true);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { event: 'heartbeat', ms: 10_000 },
      { event: 'heartbeat', ms: 20_000 },
      { event: 'group-applied', database: 'shop', group: 'sarrio', ms: 20_000 },
      { event: 'finished', exit: 'partial', data: null, diagnostics: [fault], ms: 20_000 },
    ]);
  });
});

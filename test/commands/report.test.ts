import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeFrame } from '../../src/commands/report/frame.ts';
import { formatOf, outputsOf } from '../../src/commands/report/formats.ts';
import { githubAnnotations } from '../../src/commands/report/github.ts';
import { gitlabReport } from '../../src/commands/report/gitlab.ts';
import { diagnosticsText } from '../../src/commands/report/read-frames.ts';
import { sarifLog } from '../../src/commands/report/sarif.ts';
import type { Diagnostic } from '../../src/plan/diagnostic.ts';
import { formatDiagnostic } from '../../src/plan/diagnostic.ts';

const FAULT: Diagnostic = {
  code: 'SAR201',
  severity: 'error',
  message: 'there is no table public.ordres',
  hint: "Did you mean 'public.orders'?\nOr: 100 %",
  span: { file: 'db/a b.config.ts', line: 2, column: 12, endColumn: 27 },
  where: null,
};
const LIVE: Diagnostic = { code: 'SAR406', severity: 'warning', message: 'a standby', hint: null, span: null, where: 'database east, schema a' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-report-'));
  await writeFile(join(folder, 'a.ts'), "export default {\r\n  tables: ['public.ordres'],\r\n};\r\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('text has the line at fault with carets under the words, between message and hint; CRLF changes nothing', () => {
  const span = { file: 'a.ts', line: 2, column: 12, endColumn: 27 };
  expect(diagnosticsText([{ ...FAULT, span, hint: 'Correct it.' }, LIVE], folder)).toBe(
    [
      'a.ts(2,12): error SAR201: there is no table public.ordres',
      '  1 | export default {',
      "  2 |   tables: ['public.ordres'],",
      '    |            ^^^^^^^^^^^^^^^',
      '  Correct it.',
      'warning SAR406: database east, schema a: a standby',
      '',
    ].join('\n'),
  );
});

test('a frame shows no more of a long line than fits, nothing that a terminal obeys, and nothing where the text has changed', () => {
  const long = `${'x'.repeat(400)}FAULT${'y'.repeat(400)}`;
  const lines = codeFrame(long, { file: '', line: 1, column: 401, endColumn: 406 })?.split('\n') ?? [];
  const [source = '', carets = ''] = lines;
  expect(source.length).toBeLessThan(140);
  expect(source.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('FAULT');
  expect(codeFrame('\u001b[31mred', { file: '', line: 1, column: 1 })).not.toContain('\u001b');
  expect(codeFrame('one line', { file: '', line: 2, column: 1 })).toBeNull();
});

test('a line of text is what the matcher of MSBuild output in editors takes', () => {
  // `$msCompile` of VS Code. Its `$tsc`, and that of actions/setup-node, take codes of TypeScript alone.
  const matcher = /^\s*(?:\s*\d+>)?(\S.*?)(?:\((\d+|\d+,\d+|\d+,\d+,\d+,\d+)\))?\s*:\s+(?:(\S+)\s+)?((?:fatal +)?error|warning|info)\s+(\w+\d+)?\s*:\s*(.*)$/;
  const [, file, place, , severity, code, message] = matcher.exec(formatDiagnostic(FAULT).split('\n')[0] ?? '') ?? [];
  expect([file, place, severity, code, message]).toEqual(['db/a b.config.ts', '2,12', 'error', 'SAR201', FAULT.message]);
});

test('annotations of GitHub: errors first, escaped, and no more than it shows', () => {
  expect(githubAnnotations([LIVE, FAULT])).toBe(
    "::error file=db/a b.config.ts,line=2,col=12,endColumn=26,title=SAR201::there is no table public.ordres%0ADid you mean 'public.orders'?%0AOr: 100 %25\n" +
      '::warning title=SAR406::database east, schema a: a standby\n',
  );
  const many = githubAnnotations(Array.from({ length: 25 }, () => FAULT)).split('\n');
  expect(many).toHaveLength(11);
  expect(many[9]).toBe('::error title=sarrio::and 16 more (SAR201): see the log, or run sarrio check');
  expect(githubAnnotations([{ ...FAULT, span: { file: 'a,b:c.ts', line: 1, column: 1 } }])).toContain('file=a%2Cb%3Ac.ts,');
});

test('what is wrong with a file stands at that file', () => {
  expect(githubAnnotations([{ ...LIVE, where: 'generated/sql/shop/public.orders.sql' }])).toContain('file=generated/sql/shop/public.orders.sql,line=1');
});

test('a report for GitLab: each fault once, at its line, and the same fault whatever line it moved to', () => {
  const [fault, live] = JSON.parse(gitlabReport([FAULT, LIVE]));
  expect(fault).toMatchObject({
    check_name: 'SAR201',
    severity: 'major',
    description: `${FAULT.message}\n${FAULT.hint}`,
    location: { path: 'db/a b.config.ts', lines: { begin: 2 } },
  });
  expect(live).toMatchObject({ severity: 'minor', description: 'database east, schema a: a standby', location: { path: 'generated/plan.yaml' } });
  const span = { file: 'db/a b.config.ts', line: 9, column: 1 };
  expect(JSON.parse(gitlabReport([{ ...FAULT, span }]))[0]).toMatchObject({ fingerprint: fault.fingerprint, location: { lines: { begin: 9 } } });
  expect(live.fingerprint).not.toBe(fault.fingerprint);
});

test('SARIF has the explanation of each code once and the place of each fault', () => {
  const log = JSON.parse(sarifLog({ diagnostics: [FAULT, LIVE, FAULT], version: '1.2.3' }));
  expect(log).toMatchObject({ version: '2.1.0', runs: [{ tool: { driver: { name: 'sarrio', version: '1.2.3' } } }] });
  const [{ tool, results }] = log.runs;
  expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(['SAR201', 'SAR406']);
  expect(tool.driver.rules[0]).toMatchObject({ shortDescription: { text: 'there is no such table' }, help: { text: expect.stringContaining('What to do:') } });
  expect(results[0]).toEqual({
    ruleId: 'SAR201',
    ruleIndex: 0,
    level: 'error',
    message: { text: `${FAULT.message}\n${FAULT.hint}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 'db/a%20b.config.ts', uriBaseId: '%SRCROOT%' },
          region: { startLine: 2, startColumn: 12, endColumn: 27 },
        },
      },
    ],
  });
  expect(results[1].locations).toEqual([{ logicalLocations: [{ fullyQualifiedName: 'database east, schema a' }] }]);
});

test('the form is known before the words are understood', () => {
  expect([['--json'], ['--format', 'sarif'], ['--format=github'], ['--format'], ['--format', 'xml'], []].map(formatOf)).toEqual([
    'json',
    'sarif',
    'github',
    'text',
    'text',
    'text',
  ]);
  expect(outputsOf(['sarif=a=b.json', 'json=x'])).toEqual([
    { format: 'sarif', file: 'a=b.json' },
    { format: 'json', file: 'x' },
  ]);
  expect(() => outputsOf(['text=x'])).toThrow('SAR001');
});

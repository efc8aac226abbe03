import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import { failure } from '../plan/errors.ts';
import { readIfPresent } from '../plan/generated-files.ts';
import { look, report, tablesOf, withoutKey } from './init/look.ts';
import { type FirstConfig, type Named, repositoryFiles } from './init/repository-files.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';

type Options = Readonly<Record<string, unknown>>;
type Answers = { readonly source: string; readonly target: string; readonly tables: readonly string[] };

/** `sarrio init`: looks at two databases and writes the files of a first commit. Never overwrites one. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .option('--source <variable>', 'the environment variable with the connection string of the source')
      .option('--target <variable>', 'the same of the target')
      .option('--tables <names>', 'what to replicate, with commas between: public.*, sales.orders')
      .addOption(new Option('--ci <service>', 'for which a workflow is written').choices(['github', 'gitlab', 'none']))
      .option('--yes', 'take what is proposed instead of asking')
      .option('--dry-run', 'write nothing, print what would be written'),
  run: async (options, context) => {
    const answers = await askAll(options, context);
    const schemas = [...new Set(answers.tables.map((name) => name.split('.')[0] ?? ''))];
    const [source, target] = [await look(answers.source, schemas, context), await look(answers.target, schemas, context)];
    const tables = tablesOf(source, answers.tables);
    if (tables.length === 0) {
      const hint = 'Name schemas or tables of the source: --tables public.*,sales.orders';
      throw failure('invalid', { code: 'SAR532', message: `the source has no table that ${answers.tables.join(', ')} names`, hint });
    }
    const names = namesOf(answers);
    const first: FirstConfig = { ...names, tables: answers.tables, keyless: withoutKey(tables), ci: await serviceOf(options, context) };
    return await written({ files: repositoryFiles(first), findings: report(source, target, answers.tables), isDry: options['dryRun'] === true, context });
  },
};

/** At most three questions, each of which has a flag. */
async function askAll(options: Options, context: VerbContext): Promise<Answers> {
  const candidates = Object.entries(context.env)
    .flatMap(([name, value]) => (/^postgres(ql)?:\/\//.test(value ?? '') ? [name] : []))
    .sort();
  const isSource = (name: string): boolean => /^(SOURCE|PRIMARY|MAIN|APP|DATABASE)/.test(name);
  const proposedSource = candidates.find(isSource) ?? candidates[0] ?? null;
  const source = await answer({
    flag: 'source',
    question: 'Which variable holds the connection string of the source?',
    proposed: proposedSource,
    options,
    context,
  });
  const proposedTarget = candidates.find((name) => name !== source) ?? null;
  const target = await answer({ flag: 'target', question: 'Which one that of the target?', proposed: proposedTarget, options, context });
  const tables = await answer({ flag: 'tables', question: 'Which tables?', proposed: 'public.*', options, context });
  for (const variable of [source, target]) refuseUnset(variable, context);
  if (source === target)
    throw failure('invalid', { code: 'SAR531', message: `source and target are both $${source}`, hint: 'Give each database a variable of its own.' });
  return {
    source,
    target,
    tables: tables
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
}

type Question = {
  readonly flag: string;
  readonly question: string;
  readonly proposed: string | null;
  readonly options: Options;
  readonly context: VerbContext;
};

async function answer({ flag, question, proposed, options, context }: Question): Promise<string> {
  const given = options[flag];
  if (typeof given === 'string') return given;
  if (options['yes'] === true && proposed !== null) return proposed;
  const said = context.ask && options['yes'] !== true ? (await context.ask(`${question}${proposed === null ? '' : ` [${proposed}]`} `)).trim() : '';
  if (said !== '') return said;
  if (context.ask && options['yes'] !== true && proposed !== null) return proposed;
  throw failure('invalid', {
    code: 'SAR530',
    message: `nobody is here to be asked: ${question}`,
    hint: `Say it with --${flag}, or take what is proposed with --yes.`,
  });
}

function refuseUnset(variable: string, { env }: VerbContext): void {
  if (!/^[A-Za-z_]\w*$/.test(variable))
    throw failure('invalid', { code: 'SAR531', message: `${JSON.stringify(variable)} is no name of an environment variable` });
  if (env[variable]) return;
  throw failure('invalid', {
    code: 'SAR531',
    message: `the environment variable ${variable} is not set`,
    hint: `export ${variable}=postgres://user@host/database`,
  });
}

/** `SHOP_DATABASE_URL` is database `shop`. */
function namesOf({ source, target }: Answers): { readonly source: Named; readonly target: Named } {
  const name = (variable: string): string =>
    variable
      .toLowerCase()
      .replace(/_?(database|db|pg)?_?(url|dsn|uri)?$/, '')
      .replace(/^[^a-z]+/, '');
  const [first, second] = [name(source) || 'source', name(target) || 'target'];
  return { source: { name: first, variable: source }, target: { name: first === second ? `${second}_target` : second, variable: target } };
}

async function serviceOf(options: Options, { cwd }: VerbContext): Promise<FirstConfig['ci']> {
  const given = options['ci'];
  if (given === 'github' || given === 'gitlab' || given === 'none') return given;
  const remote = (await readIfPresent(resolve(cwd, '.git/config'))) ?? '';
  return /gitlab/i.test(remote) || (await readIfPresent(resolve(cwd, '.gitlab-ci.yml'))) !== null ? 'gitlab' : 'github';
}

type Writing = { readonly files: ReadonlyMap<string, string>; readonly findings: readonly string[]; readonly isDry: boolean; readonly context: VerbContext };

async function written({ files, findings, isDry, context }: Writing): Promise<VerbResult> {
  const [made, kept]: [string[], string[]] = [[], []];
  for (const [path, text] of files) {
    const target = resolve(context.cwd, path);
    if ((await readIfPresent(target)) !== null) kept.push(path);
    else {
      made.push(path);
      if (!isDry) await mkdir(dirname(target), { recursive: true });
      if (!isDry) await writeFile(target, text, { flag: 'wx' });
    }
  }
  const shown = [...kept, ...(isDry ? made : [])].flatMap((path) => [
    '',
    `--- ${path}${kept.includes(path) ? ' (yours stays as it is; this would have been written)' : ''}`,
    files.get(path) ?? '',
  ]);
  const lines = [
    ...findings,
    '',
    ...made.map((path) => `${isDry ? 'would write' : 'written'}  ${path}`),
    ...kept.map((path) => `kept     ${path}`),
    ...shown,
    '',
    'Next: sarrio pull, sarrio compile, then review and commit generated/.',
  ];
  return { exit: 'ok', data: { written: made, kept, findings }, diagnostics: [], text: `${lines.join('\n')}\n` };
}

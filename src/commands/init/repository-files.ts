import { githubWorkflow, gitlabPipeline } from './workflows.ts';

/** A database as the first config names it. */
export type Named = { readonly name: string; readonly variable: string };

export type FirstConfig = {
  readonly source: Named;
  readonly target: Named;
  readonly tables: readonly string[];
  /** Tables that a pattern would take and that have no key. */
  readonly keyless: readonly string[];
  readonly ci: 'github' | 'gitlab' | 'none';
};

/** Every file of a first commit, by path. */
export function repositoryFiles(first: FirstConfig): ReadonlyMap<string, string> {
  const variables = [first.source.variable, first.target.variable];
  const workflow: readonly (readonly [string, string])[] =
    first.ci === 'github'
      ? [['.github/workflows/replication.yml', githubWorkflow(variables)]]
      : first.ci === 'gitlab'
        ? [['.gitlab-ci.yml', gitlabPipeline(variables)]]
        : [];
  return new Map([['replication.config.ts', config(first)], ['.gitattributes', ATTRIBUTES], ['.env.example', example(variables)], ...workflow]);
}

const ATTRIBUTES = `# Generated files are hashed: the same line ends everywhere.
generated/** text eol=lf
generated/schema.lock.json linguist-generated
generated/plan.yaml linguist-generated
`;

function config({ source, target, tables, keyless }: FirstConfig): string {
  const list = (names: readonly string[]): string => names.map((name) => `'${name.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`).join(', ');
  const exclude =
    keyless.length === 0
      ? ''
      : `\n      // They have no primary key. Give them one, or name a unique index: { table: '…', key: '…' }.\n      exclude: [${list(keyless)}],`;
  return `import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: {
    ${property(source.name)}: env('${source.variable}'),
    ${property(target.name)}: env('${target.variable}'),
  },
  syncs: {
    main: {
      mode: 'one-way',
      source: '${source.name}',
      targets: ['${target.name}'],
      tables: [${list(tables)}],${exclude}
    },
  },
});
`;
}

function property(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
}

function example(variables: readonly string[]): string {
  return `# Connection strings; the real ones never stand in a file that is committed.\n${variables.map((name) => `${name}=postgres://user:password@host:5432/database\n`).join('')}`;
}

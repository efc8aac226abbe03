import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A repository that somebody might have, but for its `node_modules`. */
export type Repository = {
  readonly kind: string;
  /** Path -> text. */
  readonly files: Readonly<Record<string, string>>;
  /** Settings of `tsc` under which the config has to be free of errors. */
  readonly settings: readonly Readonly<Record<string, unknown>>[];
};

const configText = (head: string, exported: string): string => `${head}
${exported}defineReplication({
  databases: { main: env('MAIN_URL'), copy: env('COPY_URL') },
  syncs: {
    notes: { mode: 'one-way', source: 'main', targets: ['copy'], tables: ['public.notes'] },
    group: {
      mode: 'multi-master',
      members: ['main', 'copy'],
      tables: ['public.orders'],
      onConflict: (conflict) => take(newest(conflict)),
    },
  },
})${exported.endsWith('(') ? ')' : ''};
`;

const RULE = '.versions.reduce((one, other) => (Number(other.row?.amount ?? 0) > Number(one.row?.amount ?? 0) ? other : one)).database';

const MODULE_RULE = `import type { Conflict, DatabaseName } from 'sarrio';

/** Whoever counted more. */
export function newest(conflict: Conflict): DatabaseName {
  return conflict${RULE.replaceAll('.amount', ".['amount']")};
}
`;

const PLAIN_RULE = `/** @param {import('sarrio').Conflict} conflict */
function newest(conflict) {
  return conflict${RULE};
}
`;

const config = (rule: string): string =>
  configText(`import { defineReplication, env, take } from 'sarrio';\nimport { newest } from '${rule}';`, 'export default ');

const manifest = (type: 'module' | null): string => `${JSON.stringify({ name: 'shop', private: true, ...(type === null ? {} : { type }) }, null, 2)}\n`;

const TYPESCRIPT = { strict: true, noUncheckedIndexedAccess: true, noEmit: true, target: 'es2022', skipLibCheck: false, types: [] };
const JAVASCRIPT = { ...TYPESCRIPT, strict: false, allowJs: true, checkJs: true };
const NODE = { module: 'nodenext', moduleResolution: 'nodenext' };
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };
/** What `tsc --init` wrote for years, and many repositories still have. */
const CLASSIC = { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true };

/** TypeScript and plain JavaScript, each as modules and as CommonJS. */
export const REPOSITORIES: readonly Repository[] = [
  {
    kind: 'TypeScript, modules',
    files: {
      'package.json': manifest('module'),
      'replication.config.ts': config('./replication/rules.ts'),
      'replication/rules.ts': MODULE_RULE,
    },
    settings: [
      { ...TYPESCRIPT, ...NODE, allowImportingTsExtensions: true, verbatimModuleSyntax: true },
      { ...TYPESCRIPT, ...BUNDLER, allowImportingTsExtensions: true },
    ],
  },
  {
    kind: 'TypeScript, CommonJS',
    files: {
      'package.json': manifest(null),
      'replication.config.ts': config('./replication/rules'),
      'replication/rules.ts': MODULE_RULE,
    },
    settings: [
      { ...TYPESCRIPT, ...NODE },
      { ...TYPESCRIPT, ...CLASSIC },
    ],
  },
  {
    kind: 'JavaScript, modules',
    files: {
      'package.json': manifest('module'),
      'replication.config.js': config('./replication/rules.js'),
      'replication/rules.js': `${PLAIN_RULE}\nexport { newest };\n`,
    },
    settings: [{ ...JAVASCRIPT, ...NODE }],
  },
  {
    kind: 'JavaScript, CommonJS',
    files: {
      'package.json': manifest(null),
      'replication.config.js': configText(
        "const { defineReplication, env, take } = require('sarrio');\nconst { newest } = require('./replication/rules');",
        'module.exports = ',
      ),
      'replication/rules.js': `${PLAIN_RULE}\nmodule.exports = { newest };\n`,
    },
    settings: [{ ...JAVASCRIPT, ...NODE }],
  },
];

/** One of them by its name. */
export function repositoryOf(kind: string): Repository {
  const found = REPOSITORIES.find((each) => each.kind === kind);
  if (!found) throw new Error(`there is no repository of kind ${kind}`);
  return found;
}

/** Writes it into an empty folder. */
export async function writeRepository(folder: string, { files }: Repository): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

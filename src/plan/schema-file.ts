import type { QualifiedName } from '../sql/quote.ts';
import { contentHash } from './canonical.ts';
import { failure } from './errors.ts';
import { anchor, readBlocks } from './sql-blocks.ts';

/** Under `generated/`: what `pull --with-schema` has written for databases that lack tables. */
export const SCHEMA_FOLDER = 'schema';
/** Major.minor of such a file. */
const FORMAT = '1.0';

/** An object and the statements that make it. */
export type SchemaBlock = { readonly kind: string; readonly name: string; readonly statements: readonly string[] };

/** An object by which the file knows whether it has been applied. */
export type MadeObject = { readonly kind: 'collation' | 'type' | 'sequence' | 'table'; readonly schema: string; readonly name: string };

export type SchemaFile = {
  readonly project: string;
  readonly database: string;
  /** Environment variable of its connection string. */
  readonly env: string;
  readonly objects: readonly MadeObject[];
  /** Tables of the target's that are locked on the way, because foreign keys point to them. */
  readonly locks: readonly QualifiedName[];
  /** One text for each object, in the order in which they are made. */
  readonly blocks: readonly { readonly kind: string; readonly name: string; readonly text: string }[];
};

type Head = Omit<SchemaFile, 'blocks'> & { readonly format: string; readonly checksum: string };

export type SchemaParts = Omit<SchemaFile, 'blocks'> & { readonly blocks: readonly SchemaBlock[]; readonly notes: readonly string[] };

/** The path of a database's file under `generated/`. */
export function schemaFilePath(database: string): string {
  return `${SCHEMA_FOLDER}/${database}.sql`;
}

/** The file, for people first. Throws where a text could not be read back as it was. */
export function writeSchemaFile({ blocks, notes, ...head }: SchemaParts): string {
  const wanted = blocks.map(({ kind, name, statements }) => ({ kind, name, text: `${statements.map((statement) => `${statement};`).join('\n')}\n` }));
  const body = wanted.map((block) => `${anchor(block)}\n${block.text}`).join('\n');
  const full: Head = { format: FORMAT, ...head, checksum: contentHash({ head, blocks: wanted }) };
  const read = readBlocks(body).map(({ kind, name, text }) => ({ kind, name, text }));
  const broken = wanted.find((block, index) => contentHash(block) !== contentHash(read[index] ?? null));
  if (broken) {
    throw failure('refused', {
      code: 'SAR440',
      where: `database ${head.database}`,
      message: `the statements of ${broken.kind} ${broken.name} hold a line that such a file cannot hold (a carriage return, or a line that looks like one of its own)`,
      hint: 'Make this object on the target by hand.',
    });
  }
  return [
    `-- Made by sarrio pull --with-schema: what database ${head.database} lacks of the tables that its syncs bring there. Review and commit it.`,
    '-- `sarrio apply --with-schema` runs it in one transaction. Do not edit: a changed file is refused.',
    '-- Everything will belong to the role that applies it. Owners, grants, triggers, rules, policies and tablespaces are not copied.',
    ...notes.map((note) => `-- Note: ${note.replaceAll(/\s+/g, ' ')}`),
    `-- sarrio: ${JSON.stringify(full)}`,
    `begin;\n\n${body}\ncommit;\n`,
  ].join('\n');
}

/** Reads one back. `file` is the name for messages. */
export function readSchemaFile(text: string, file: string): SchemaFile {
  const line = /^-- sarrio: (\{.*\})\r?$/m.exec(text)?.[1];
  const head = line === undefined ? null : parse(line);
  if (head?.format !== FORMAT) {
    const message = head === null ? 'this is no file of `sarrio pull --with-schema`' : `its format is ${head.format}, and this version reads ${FORMAT}`;
    throw failure('invalid', { code: 'SAR445', where: file, message, hint: 'Run `sarrio pull --with-schema` again.' });
  }
  const { format: _, checksum, ...rest } = head;
  const blocks = readBlocks(text).map((block) => ({ kind: block.kind, name: block.name, text: block.text }));
  if (contentHash({ head: rest, blocks }) === checksum) return { ...rest, blocks };
  throw failure('invalid', {
    code: 'SAR445',
    where: file,
    message: 'the file was changed after it was written (its checksum does not fit its content)',
    hint: 'Run `sarrio pull --with-schema` again. What is to be made in another way, make by hand: what is there is left out of the file.',
  });
}

function parse(line: string): Head | null {
  try {
    return JSON.parse(line) as Head;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

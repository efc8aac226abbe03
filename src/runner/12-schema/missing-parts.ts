import type { MadeObject, SchemaBlock } from '../../plan/schema-file.ts';
import { displayName, type QualifiedName, quoteIdent } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import type { Finding } from './findings.ts';
import { COLLATIONS, TYPES } from './needs.sql.ts';
import type { Needs } from './needs.ts';
import { extensionStates, type ExtensionState, presenceKey, presentIn, schemaRights, type Sought } from './presence.ts';
import { sequenceStatements } from './render-table.sql.ts';
import {
  type CollationDefinition,
  collationComment,
  collationStatement,
  extensionStatement,
  isNotValid,
  schemaStatement,
  type TypeDefinition,
  typeStatements,
} from './render-type.sql.ts';
import { itemsOf, type SequenceDefinition } from './table-definition.ts';
import { withPartitions, type WantedTable } from './wanted-table.ts';
import type { SourceParts } from './source-parts.ts';

type Outcome = { readonly objects: readonly MadeObject[]; readonly blocks: readonly SchemaBlock[]; readonly findings: readonly Finding[] };
type Named = QualifiedName & { readonly text: string };

/** All that the tables of a target need and it lacks, in the order in which it is made; and what cannot be made, or is something else there. */
export async function missingParts({ target, sources }: { target: Session; sources: readonly SourceParts[] }): Promise<Outcome> {
  const needs = sources.map((source) => source.needs);
  const tables = sources.flatMap(({ missing }) => missing).flatMap(withPartitions);
  const sequences = sequencesOf(tables);
  const [types, collations] = [needs.flatMap((each) => each.types), needs.flatMap((each) => each.collations)];
  const code = needs.flatMap((each) => [...each.code, ...each.foreignTypes]);
  const present = await presentIn(target, [
    ...[...types.map(named('type')), ...collations.map(named('collation')), ...sequences.map(named('sequence'))],
    ...[...tables.flatMap(relationNames), ...code],
  ]);
  const there = await definitionsThere(target, present);
  const extensions = await neededExtensions(target, needs);
  const made = {
    collations: unlessThere(collations, { present, kind: 'collation' }),
    types: unlessThere(types, { present, kind: 'type' }),
    sequences: unlessThere(sequences, { present, kind: 'sequence' }),
  };
  const wanted = [...tables.map(({ name }) => name), ...made.types, ...made.collations, ...made.sequences].map(({ schema }) => schema);
  const rights = await schemaRights(target, [...new Set(wanted)].sort());
  return {
    objects: [...objectsOf('collation', made.collations), ...objectsOf('type', made.types), ...objectsOf('sequence', made.sequences)],
    blocks: [
      ...[...new Set([...rights.filter(({ isThere }) => !isThere).map(({ name }) => name), ...extensions.schemas])].map(schemaBlock),
      ...extensions.blocks,
      ...made.collations.map((each) => ({ kind: 'collation', name: displayName(each), statements: [collationStatement(each), ...collationComment(each)] })),
      ...made.types.map((each) => ({ kind: 'type', name: displayName(each), statements: typeStatements(each) })),
      ...made.sequences.map((each) => ({ kind: 'sequence', name: displayName(each), statements: sequenceStatements(each) })),
    ],
    findings: [
      ...extensions.findings,
      ...rights.filter(({ mayCreate }) => !mayCreate).map(noRight),
      ...made.types.filter((type) => typeStatements(type).length === 0).map(unmakeable),
      ...made.types.flatMap(looseChecks),
      ...made.collations.flatMap((each) => collationMisfit(each, target.serverMajor)),
      ...code.filter((need) => !present.has(presenceKey(need))).map(lacking),
      ...tables
        .flatMap(relationNames)
        .filter((name) => present.has(presenceKey(name)))
        .map(taken),
      ...sequences.filter((each) => present.has(presenceKey(named('sequence')(each)))).map((each) => taken(named('sequence')(each))),
      ...unlike([...types.map(typed), ...collations.map(collated)], there),
      ...unlike(
        [...types.map(typed), ...collations.map(collated)],
        new Map([...types.map(typed), ...collations.map(collated)].map((each) => [keyOf(each), each.text])),
        'another source',
      ),
    ],
  };
}

function named(kind: 'type' | 'collation' | 'sequence'): (name: QualifiedName) => Sought {
  return ({ schema, name }) => ({ kind, schema, name, identity: displayName({ schema, name }) });
}

/** Everything of a table whose name could be taken: partitions, indexes, sequences of identities. */
function relationNames({ definition, name }: WantedTable): readonly Sought[] {
  const indexes = [...definition.constraints.filter(({ kind }) => 'pux'.includes(kind)), ...definition.indexes].map((each) => ({
    schema: name.schema,
    name: each.name,
  }));
  const identities = definition.columns.flatMap(({ sequences }) => (sequences ?? []).filter(({ isIdentity }) => isIdentity).map(({ sequence }) => sequence));
  return [name, ...indexes, ...identities].map((each) => ({ kind: 'relation', schema: each.schema, name: each.name, identity: displayName(each) }));
}

function sequencesOf(tables: readonly WantedTable[]): readonly SequenceDefinition[] {
  const found = tables.flatMap(({ definition }) => definition.columns.flatMap(({ sequences }) => (sequences ?? []).filter(({ isIdentity }) => !isIdentity)));
  return [...new Map(found.map(({ sequence }) => [displayName(sequence), sequence])).values()];
}

function unlessThere<Item extends QualifiedName>(
  items: readonly Item[],
  { present, kind }: { present: ReadonlyMap<string, unknown>; kind: 'type' | 'collation' | 'sequence' },
): readonly Item[] {
  const once = new Map(items.map((each) => [displayName(each), each] as const));
  return [...once.values()].filter((each) => !present.has(presenceKey(named(kind)(each))));
}

function objectsOf(kind: MadeObject['kind'], items: readonly QualifiedName[]): readonly MadeObject[] {
  return items.map(({ schema, name }) => ({ kind, schema, name }));
}

function schemaBlock(name: string): SchemaBlock {
  return { kind: 'schema', name: quoteIdent(name), statements: [schemaStatement(name)] };
}

const typed = (type: TypeDefinition): Named & { readonly kind: string } => ({
  kind: 'type',
  schema: type.schema,
  name: type.name,
  text: typeStatements({ ...type, comment: null }).join(),
});
const collated = (each: CollationDefinition): Named & { readonly kind: string } => ({
  kind: 'collation',
  schema: each.schema,
  name: each.name,
  text: collationStatement(each),
});
const keyOf = (each: QualifiedName & { readonly kind: string }): string => presenceKey({ kind: each.kind, identity: displayName(each) });

async function definitionsThere(target: Session, present: ReadonlyMap<string, string | null>): Promise<ReadonlyMap<string, string>> {
  const oids = (kind: string): string => `{${[...present].flatMap(([key, oid]) => (key.startsWith(`${kind} `) && oid !== null ? [oid] : [])).join(',')}}`;
  const types = (await itemsOf<TypeDefinition>(target, TYPES, [oids('type')])).map(typed);
  const collations = (await itemsOf<CollationDefinition>(target, COLLATIONS, [oids('collation')])).map(collated);
  return new Map([...types, ...collations].map((each) => [keyOf(each), each.text]));
}

function unlike(wanted: readonly (Named & { readonly kind: string })[], there: ReadonlyMap<string, string>, where = 'the target'): readonly Finding[] {
  return wanted
    .filter((each) => (there.get(keyOf(each)) ?? each.text) !== each.text)
    .map((each) => {
      const message = `${each.kind} ${displayName(each)} is another one on ${where}: ${there.get(keyOf(each)) ?? ''}; the tables need ${each.text}`;
      return { code: 'SAR443', severity: 'error', message, hint: 'Make them alike by hand; nothing that exists is altered here.' };
    });
}

function taken({ kind, identity }: Sought): Finding {
  const message = `the name ${identity} is taken on the target${kind === 'sequence' ? ', by a sequence or something else' : ' by something else'}, and a table that is missing needs it`;
  return { code: 'SAR443', severity: 'error', message, hint: 'Rename or drop what stands there, or make the missing table by hand.' };
}

function lacking({ kind, identity }: Sought): Finding {
  const message = `a default, constraint, index or column uses the ${kind} ${identity}, which the target does not have`;
  return {
    code: 'SAR441',
    severity: 'error',
    message,
    hint: `Make the ${kind} on the target first (pg_dump --schema-only has its text); code is never copied. Then run this again.`,
  };
}

function unmakeable(type: TypeDefinition): Finding {
  const message = `the range type ${displayName(type)} has a canonical function or an order of its own`;
  return { code: 'SAR440', severity: 'error', message, hint: 'Make this type on the target by hand, then run this again.' };
}

function looseChecks(type: TypeDefinition): readonly Finding[] {
  const checks = (type.domain?.checks ?? []).filter(isNotValid).map(({ name }) => quoteIdent(name));
  if (checks.length === 0) return [];
  const message = `domain ${displayName(type)} is made without the check ${checks.join(', ')}: it is not valid, and values of before it might not satisfy it`;
  return [{ code: 'SAR448', severity: 'warning', message, hint: 'Make it valid on the source first if it is to hold on the target.' }];
}

function noRight({ name, isThere, role, database }: { name: string; isThere: boolean; role: string; database: string }): Finding {
  const message = isThere ? `the role ${role} may make nothing in schema ${quoteIdent(name)}` : `the role ${role} may not make the schema ${quoteIdent(name)}`;
  const grant = isThere ? `GRANT CREATE ON SCHEMA ${quoteIdent(name)} TO ${role};` : `GRANT CREATE ON DATABASE ${database} TO ${role};`;
  return { code: 'SAR441', severity: 'error', message, hint: `Run: ${grant}` };
}

function collationMisfit(collation: CollationDefinition, major: number): readonly Finding[] {
  const since = collation.provider === 'b' ? 17 : collation.rules === null ? 14 : 16;
  if (major >= since) return [];
  const message = `the collation ${displayName(collation)} needs PostgreSQL ${since}, and the target is ${major}`;
  return [{ code: 'SAR442', severity: 'error', message, hint: 'Upgrade the target, or make a collation of this name there by hand.' }];
}

type NeededExtensions = { readonly schemas: readonly string[]; readonly blocks: readonly SchemaBlock[]; readonly findings: readonly Finding[] };

async function neededExtensions(target: Session, needs: readonly Needs[]): Promise<NeededExtensions> {
  const wanted = [...new Map(needs.flatMap(({ extensions }) => extensions).map((each) => [each.name, each])).values()];
  const states = new Map(
    (
      await extensionStates(
        target,
        wanted.map(({ name }) => name),
      )
    ).map((state) => [state.name, state]),
  );
  const judged = wanted.map(({ name, schema }) => ({ name, schema, state: states.get(name) }));
  const installed = judged.filter(({ state }) => state !== undefined && state.schema === null && state.canInstall);
  return {
    schemas: installed
      .filter(({ state }) => state?.takesSchema)
      .map(({ schema }) => schema)
      .filter((schema) => schema !== 'public' && schema !== 'pg_catalog'),
    blocks: installed.map(({ name, schema, state }) => ({
      kind: 'extension',
      name: quoteIdent(name),
      statements: [extensionStatement(name, state?.takesSchema && schema !== 'pg_catalog' ? schema : null)],
    })),
    findings: judged.flatMap(({ name, schema, state }) => extensionFault({ name, schema }, state)),
  };
}

function extensionFault({ name, schema }: { name: string; schema: string }, state: ExtensionState | undefined): readonly Finding[] {
  const shown = quoteIdent(name);
  const error = (message: string, hint: string): readonly Finding[] => [{ code: 'SAR441', severity: 'error', message, hint }];
  if (!state?.isAvailable && state?.schema === null)
    return error(`the tables need the extension ${shown}, which the target's server does not have`, 'Install its package on that server, then run this again.');
  if (state?.schema === null && !state.canInstall) {
    return error(`the tables need the extension ${shown}, which this role may not install`, `Let a superuser run: ${extensionStatement(name, schema)};`);
  }
  if (state?.schema === null || state?.schema === schema) return [];
  const message = `the extension ${shown} is in schema ${quoteIdent(state?.schema ?? '?')} on the target, and in ${quoteIdent(schema)} on the source`;
  return error(message, `Where it can be moved: ALTER EXTENSION ${shown} SET SCHEMA ${quoteIdent(schema)};`);
}

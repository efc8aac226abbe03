import { prepareEvaluator } from '../compiler/1-load/evaluate/evaluator.ts';
import type { Verb } from './verb.ts';

/** A verb as `--help` lists it. Its module is loaded only when it is the one that was called. */
export type VerbEntry = { readonly name: string; readonly summary: string; readonly load: () => Promise<Verb> };

/** All verbs, in the order of the day's work. */
export const VERBS: readonly VerbEntry[] = [
  {
    name: 'init',
    summary: 'look at two databases and write a config, a workflow and what belongs to them; never overwrites',
    load: async () => (await import('./init.ts')).verb,
  },
  {
    name: 'pull',
    summary: 'read the catalogs of the databases into generated/schema.lock.json and schema.d.ts',
    load: () => withEvaluator(async () => (await import('./pull.ts')).verb),
  },
  {
    name: 'compile',
    summary: 'make generated/plan.yaml and generated/sql from the config; contacts no database',
    load: () => withEvaluator(async () => (await import('./compile.ts')).verb),
  },
  {
    name: 'check',
    summary: 'for every pull request: is the config right, and is generated/ up to date; contacts no database',
    load: () => withEvaluator(async () => (await import('./check.ts')).verb),
  },
  {
    name: 'plan',
    summary: 'show what would change in the databases',
    load: async () => (await import('./plan.ts')).verb,
  },
  {
    name: 'apply',
    summary: 'install what the plan holds; a second time changes nothing',
    load: async () => (await import('./apply.ts')).verb,
  },
  {
    name: 'migrate',
    summary: 'change the tables of all databases by one SQL file, in the safe order, while replication goes on',
    load: async () => (await import('./migrate.ts')).verb,
  },
  {
    name: 'diff',
    summary: 'say in what the databases are not as generated/ says: pending, drift, skew, foreign',
    load: async () => (await import('./diff.ts')).verb,
  },
  {
    name: 'run',
    summary: 'replicate',
    load: async () => (await import('./run.ts')).verb,
  },
  {
    name: 'status',
    summary: 'show lag and pending changes of every stream',
    load: async () => (await import('./status.ts')).verb,
  },
  {
    name: 'conflicts',
    summary: 'what was decided between masters: list, show, undo',
    load: async () => (await import('./conflicts.ts')).verb,
  },
  {
    name: 'kick',
    summary: 'make a full copy now, or let a sync look at once and try its stopped tables again',
    load: async () => (await import('./kick.ts')).verb,
  },
  {
    name: 'pause',
    summary: 'let a sync rest, whichever runner works on it',
    load: async () => (await import('./pause.ts')).verb,
  },
  {
    name: 'resume',
    summary: 'let a paused sync go on',
    load: async () => (await import('./resume.ts')).verb,
  },
  {
    name: 'approve',
    summary: 'let deletes or a TRUNCATE go on that wait because of a guard; without an id, list them',
    load: async () => (await import('./approve.ts')).verb,
  },
  {
    name: 'verify',
    summary: 'compare targets with their source, or masters with each other, while writes go on; --repair writes the differences',
    load: async () => (await import('./verify.ts')).verb,
  },
  {
    name: 'copy',
    summary: 'let a stream begin anew: all its tables are copied again',
    load: async () => (await import('./copy.ts')).verb,
  },
  {
    name: 'cutover',
    summary: 'let a target of a one-way sync take over: close the source, drain, compare, carry sequences, open the target',
    load: async () => (await import('./cutover.ts')).verb,
  },
  {
    name: 'doctor',
    summary: 'examine the databases: what is in the way of replication, with evidence and cure',
    load: async () => (await import('./doctor.ts')).verb,
  },
  {
    name: 'graph',
    summary: 'draw who sends rows to whom, as Mermaid or SVG; contacts no database',
    load: async () => (await import('./graph.ts')).verb,
  },
  {
    name: 'destroy',
    summary: 'remove everything of ours from the databases',
    load: async () => (await import('./destroy.ts')).verb,
  },
  {
    name: 'explain',
    summary: 'what a diagnostic means, with an example and what to do',
    load: async () => (await import('./explain.ts')).verb,
  },
];

/** Of a verb that evaluates the config: starting the process for that takes as long as loading the verb, so both are done at once. */
function withEvaluator(load: () => Promise<Verb>): Promise<Verb> {
  prepareEvaluator();
  return load();
}

import type { Verb } from './verb.ts';

/** A verb as `--help` lists it. Its module is loaded only when it is the one that was called. */
export type VerbEntry = { readonly name: string; readonly summary: string; readonly load: () => Promise<Verb> };

/** All verbs, in the order of the day's work. */
export const VERBS: readonly VerbEntry[] = [
  {
    name: 'pull',
    summary: 'read the catalogs of the databases into generated/schema.lock.json',
    load: async () => (await import('./pull.ts')).verb,
  },
  {
    name: 'compile',
    summary: 'make generated/plan.yaml and generated/sql from the config; contacts no database',
    load: async () => (await import('./compile.ts')).verb,
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
    name: 'destroy',
    summary: 'remove everything of ours from the databases',
    load: async () => (await import('./destroy.ts')).verb,
  },
];

import type { DoctorCheck } from './finding.ts';
import type { Health } from './read-health.ts';

const GIB = 1024 ** 3;
/** Below both of these a disk is nearly full: a large one may have much left of its last percent. */
const LITTLE = { part: 0.1, bytes: 20 * GIB };
/** So much WAL that a forgotten slot keeps. */
const MUCH_WAL = GIB;
const LONG_WAIT_SECONDS = 10;

/** Whether there is room for what waits, and who stands in the way. */
export const ROOM_CHECKS: readonly DoctorCheck[] = [
  {
    check: 'disk',
    ok: 'no disk that can be seen from here is nearly full, no forgotten slot keeps WAL',
    run: ({ databases }, database) => {
      const health = databases.get(database)?.health;
      return health ? [...diskFindings(health), ...slotFindings(health)] : [];
    },
  },
  {
    check: 'blocked',
    ok: 'no session of sarrio waits for a lock, and nobody waits for one',
    run: ({ databases }, database) =>
      (databases.get(database)?.health.waits ?? [])
        .filter(({ seconds }) => seconds >= LONG_WAIT_SECONDS)
        .map(({ who, seconds, by, cure }) => ({
          result: 'problem',
          evidence: `${who} has waited ${seconds} s for a lock that ${by} holds or waits for before it`,
          cure: `Let it end, or: ${cure}`,
        })),
  },
];

function diskFindings({ disk }: Health): ReturnType<DoctorCheck['run']> {
  if (disk === null || disk.free >= LITTLE.bytes || disk.free >= disk.size * LITTLE.part) return [];
  const evidence = `the disk of the data directory has ${gib(disk.free)} of ${gib(disk.size)} left; a full one stops the server, and captured changes of a target that is away take room`;
  return [{ result: disk.free < GIB ? 'problem' : 'warning', evidence, cure: 'Make room, or bound what is kept for a target that is away: maxBacklog.' }];
}

function slotFindings({ slots }: Health): ReturnType<DoctorCheck['run']> {
  return slots
    .filter(({ bytes }) => bytes > MUCH_WAL)
    .map(({ name, bytes }) => ({
      result: 'warning',
      evidence: `replication slot ${name} is read by nobody and keeps ${gib(bytes)} of WAL (sarrio uses no slots)`,
      cure: `Start what reads it, or: SELECT pg_drop_replication_slot('${name}');`,
    }));
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

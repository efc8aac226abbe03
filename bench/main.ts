import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Major } from '../test/support/binaries.ts';
import { buildOnce, root } from '../test/support/build.ts';
import { type Measured, runWorkload } from './harness/repetitions.ts';
import { isMet, reportText, writeResults } from './harness/report.ts';
import { startPair } from './harness/servers.ts';
import type { Workload } from './harness/workload.ts';
import { backlog } from './workloads/backlog.ts';
import { distance, distanceNetem } from './workloads/distance.ts';
import { fullCopy } from './workloads/full-copy.ts';
import { initialCopy } from './workloads/initial-copy.ts';
import { latency } from './workloads/latency.ts';
import { idle, manyTables } from './workloads/many-tables.ts';
import { masterConflicts, masterHandlers, masterHotRows, masterLatency, masterMerge } from './workloads/masters.ts';
import { narrowInsert } from './workloads/narrow-insert.ts';
import { hotRows, singleUpdates } from './workloads/single-updates.ts';
import { tpcb } from './workloads/tpcb.ts';
import { verify } from './workloads/verify.ts';
import { wideInsert, wideUpdate } from './workloads/wide.ts';

const WORKLOADS: readonly Workload[] = [
  narrowInsert,
  wideInsert,
  wideUpdate,
  tpcb,
  singleUpdates,
  hotRows,
  latency,
  distance,
  distanceNetem,
  initialCopy,
  fullCopy,
  backlog,
  manyTables,
  idle,
  verify,
  masterMerge,
  masterConflicts,
  masterHandlers,
  masterHotRows,
  masterLatency,
];
const MAJORS: readonly Major[] = [14, 15, 16, 17, 18];

const USAGE = `npm run bench -- [workload...] [--quick] [--check] [--major 17] [--repeat 3] [--scale 1]
  workloads  ${WORKLOADS.map(({ name }) => name).join(', ')}; all by default
  --quick    a twentieth of the rows, once: shows that everything runs; its ratios say nothing
  --check    end with 1 when a goal is missed
  --major    version of both servers: ${MAJORS.join(', ')}
`;

type Options = { readonly chosen: readonly Workload[]; readonly major: Major; readonly repeat: number; readonly scale: number; readonly check: boolean };

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) {
    process.stderr.write(USAGE);
    return 4;
  }
  await buildOnce();
  return measure(options);
}

/** Null when they make no sense, or when help is wanted. */
function readOptions(): Options | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      major: { type: 'string', default: '17' },
      repeat: { type: 'string' },
      scale: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const major = MAJORS.find((known) => String(known) === values.major);
  const repeat = Number(values.repeat ?? (values.quick ? 1 : 3));
  const scale = Number(values.scale ?? (values.quick ? 0.05 : 1));
  const isKnown = positionals.every((name) => WORKLOADS.some((workload) => workload.name === name));
  if (values.help || !isKnown || major === undefined || !(repeat >= 1) || !(scale > 0)) return null;
  const chosen = WORKLOADS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  return { chosen, major, repeat, scale, check: values.check };
}

async function measure({ chosen, major, repeat, scale, check }: Options): Promise<number> {
  const results: Measured[] = [];
  const pair = await startPair(major);
  try {
    for (const workload of chosen) {
      results.push(await runWorkload(pair, workload, { repeat, scale, say: (text) => void process.stderr.write(`${text}\n`) }));
    }
  } finally {
    await pair.dispose();
  }
  const file = await writeResults(join(root, 'bench', 'results'), results, { repeat, scale, postgres: major });
  process.stdout.write(`\n${reportText(results)}\n\nmedians of ${repeat}, scale ${scale}, PostgreSQL ${major}; every repetition: ${file.slice(root.length)}\n`);
  return check && !isMet(results) ? 1 : 0;
}

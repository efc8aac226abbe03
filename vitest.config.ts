import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { turn } from './test/support/share.ts';
import { waitingFiles } from './test/support/turns.ts';

/** The longest files; begun last, they would leave the other workers with nothing to do. */
const LONGEST = ['crash/', 'large-values', 'key-types', 'secrets', 'matrix/', 'apply-crash', 'history/', 'exhaustive', 'masters/'];

/** More than anybody names one by one: the whole suite. */
const MANY = 100;

/** The longest files first. Of those that take turns only the ones whose turn it is, unless files are named. */
class LongestFirst extends BaseSequencer {
  override async sort(all: TestSpecification[]): Promise<TestSpecification[]> {
    const files = all.length > MANY ? withoutWaiting(all) : all;
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((part) => moduleId.includes(part));
      return found < 0 ? LONGEST.length : found;
    };
    return [...files].sort((one, other) => rank(one) - rank(other) || (one.moduleId < other.moduleId ? -1 : 1));
  }
}

function withoutWaiting(files: readonly TestSpecification[]): readonly TestSpecification[] {
  const waiting = waitingFiles();
  if (waiting.length > 0) console.info(`Turn ${turn}: ${waiting.length} files wait for theirs (npm test runs all):\n  ${waiting.join(', ')}`);
  return files.filter(({ moduleId }) => !waiting.some((file) => moduleId.endsWith(`/test/${file}.test.ts`)));
}

export default defineConfig({
  resolve: {
    alias: {
      'sarrio/testing': fileURLToPath(new URL('src/testing.ts', import.meta.url)),
      sarrio: fileURLToPath(new URL('src/index.ts', import.meta.url)),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    isolate: false,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});

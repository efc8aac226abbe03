import type { Client } from 'pg';
import { socketOf } from './socket.ts';
import type { Result, Statement } from './statement.ts';

/** Statements in one round trip: their answers, or the first error. */
export async function runBatch(client: Client, statements: readonly Statement[]): Promise<readonly Result[]> {
  return resultsOf(await sendAll(client, statements));
}

/** Several batches in one round trip, each with an outcome of its own. */
export async function runBatches(client: Client, lists: readonly (readonly Statement[])[]): Promise<readonly PromiseSettledResult<readonly Result[]>[]> {
  const answers = [...(await sendAll(client, lists.flat()))];
  return Promise.allSettled(lists.map(async ({ length }) => resultsOf(answers.splice(0, length))));
}

/**
 * Sends all statements before reading the first answer. The driver's pipeline mode cannot carry COPY, so it is on only while a
 * batch is under way; both modes share the driver's queues and the switch happens only when the connection is idle.
 */
async function sendAll(client: Client, statements: readonly Statement[]): Promise<readonly Answer[]> {
  const switchable = client as Client & { pipeline: boolean };
  const { stream } = socketOf(client);
  switchable.pipeline = true;
  try {
    // The driver writes each statement by itself: a call of the system for each of them, and for the server a wait in between.
    stream.cork();
    const answering = statements.map(({ text, values, name }) =>
      client.query<(string | null)[]>({ text, values: [...(values ?? [])], rowMode: 'array', ...(name ? { name } : {}) }),
    );
    stream.uncork();
    return await Promise.allSettled(answering);
  } finally {
    switchable.pipeline = false;
  }
}

type Answer = PromiseSettledResult<{ rows: (string | null)[][]; rowCount: number | null; command: string }>;

function resultsOf(answers: readonly Answer[]): readonly Result[] {
  return answers.map((answer) => {
    if (answer.status === 'rejected') throw answer.reason;
    return toListResult(answer.value);
  });
}

function toListResult(answer: { rows: (string | null)[][]; rowCount: number | null; command: string }): Result {
  return { rows: [], lists: answer.rows, count: answer.rowCount ?? 0, command: answer.command };
}

import { execa } from 'execa';

/** A network namespace that reaches us over a link of its own. */
export type Namespace = {
  /** Where we are reached from within. */
  readonly hostAddress: string;
  /** What a command is put behind to run within. */
  readonly within: readonly string[];
  close(): Promise<void>;
};

/** One network of two addresses, of those set aside for measuring devices (RFC 2544). */
const [HOST, GUEST] = ['198.18.77.1', '198.18.77.2'];

/**
 * Lays a link on which the kernel holds every packet back, half of `tripMs` each way; without, where that is 0. Takes root, `ip`, `tc`, and a
 * kernel with `sch_netem`. What was laid before something failed is taken away again.
 */
export async function openNamespace(tripMs: number): Promise<Namespace> {
  const name = `sarrio-bench-${process.pid}`;
  const [outside, inside] = [`sb${process.pid}o`, `sb${process.pid}i`];
  const within = ['ip', 'netns', 'exec', name];
  const close = async (): Promise<void> => {
    await execa('ip', ['link', 'del', outside], { reject: false });
    await execa('ip', ['netns', 'del', name], { reject: false });
  };
  const delayed = (device: string): readonly string[] => ['tc', 'qdisc', 'add', 'dev', device, 'root', 'netem', 'delay', `${tripMs / 2}ms`, 'limit', '100000'];
  try {
    await run(['ip', 'netns', 'add', name]);
    await run(['ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name]);
    await run(['ip', 'address', 'add', `${HOST}/30`, 'dev', outside]);
    await run(['ip', 'link', 'set', outside, 'up']);
    await run([...within, 'ip', 'address', 'add', `${GUEST}/30`, 'dev', inside]);
    await run([...within, 'ip', 'link', 'set', inside, 'up']);
    if (tripMs > 0) {
      await run(delayed(outside));
      await run([...within, ...delayed(inside)]);
    }
    return { hostAddress: HOST, within, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Why there can be none here; null when there can. */
export async function missingNamespace(tripMs: number): Promise<string | null> {
  try {
    await (await openNamespace(tripMs)).close();
    return null;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (text.includes('ENOENT')) return 'no ip, tc';
    return text.includes('netem') ? 'no netem' : 'no netns';
  }
}

async function run([program = '', ...args]: readonly string[]): Promise<void> {
  const { failed, stderr, code } = await execa(program, args, { reject: false });
  if (failed) throw new Error(`${[program, ...args].slice(0, 8).join(' ')}: ${stderr.trim() || code}`);
}

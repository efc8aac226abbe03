import { APPLYING } from './codes/applying.ts';
import { CHANGING } from './codes/changing.ts';
import { CONFIG } from './codes/config.ts';
import { DATABASES } from './codes/databases.ts';
import { GENERATED } from './codes/generated.ts';
import { MAKING } from './codes/making.ts';
import { NAMES } from './codes/names.ts';
import { RUNNING } from './codes/running.ts';
import { SWITCHING } from './codes/switching.ts';
import type { Explanation } from './explanation.ts';

/** All but those of the compiler's checks, which explain themselves. */
export const EXPLANATIONS: readonly Explanation[] = [
  ...CONFIG,
  ...NAMES,
  ...GENERATED,
  ...DATABASES,
  ...MAKING,
  ...APPLYING,
  ...RUNNING,
  ...CHANGING,
  ...SWITCHING,
];

import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// What tsc leaves behind: JSON files and plain JavaScript beside the sources, and the bit that makes the program executable.
const root = fileURLToPath(new URL('..', import.meta.url));
const files = await readdir(join(root, 'src'), { recursive: true });

for (const file of files.filter((name) => /\.(json|mjs|d\.mts)$/.test(name))) {
  await mkdir(dirname(join(root, 'dist', file)), { recursive: true });
  await copyFile(join(root, 'src', file), join(root, 'dist', file));
}
await chmod(join(root, 'dist', 'cli.js'), 0o755);

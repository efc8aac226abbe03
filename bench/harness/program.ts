import { execa } from 'execa';

export async function isInstalled(program: string): Promise<boolean> {
  return !(await execa(program, ['--version'], { reject: false })).failed;
}

/** Purpose: both ends of the COPY pipe. Reads, writes: the workload's table. Called by: `pipe.ts`. */
export const COPY_OUT = 'copy wide to stdout (format binary)';
export const COPY_IN = 'copy wide from stdin (format binary)';

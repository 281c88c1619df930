/** Where commands write: results to stdout, everything else to stderr. */

export interface Output {
  out(line: string): void
  err(line: string): void
}

export const processOutput: Output = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
}

/** What the process answers to its caller. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const

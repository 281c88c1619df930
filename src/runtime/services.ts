/**
 * HTTP services that gateways ask: JSON is posted, the answer read up to a limit, all of it before a deadline. So many
 * questions at once as the service declares, the others wait in line, and what finds the line full is `busy`. Every failure is a
 * value and counted.
 */
import type { Answer, Service, ServiceFailure } from '../sdk.ts'

interface Question {
  readonly service: Service
  readonly body: string
  readonly done: (answer: Answer) => void
  readonly deadline: AbortSignal
}

class Line {
  underWay = 0
  readonly waiting: Question[] = []
}

/** An answer is larger than the service's limit. */
class TooLarge extends Error {}

interface Counting {
  count(counter: string, by?: number): void
}

export class Services {
  readonly #counters: Counting
  /** By name of the service. */
  readonly #lines = new Map<string, Line>()

  constructor(counters: Counting) {
    this.#counters = counters
  }

  ask(name: string, service: Service, question: unknown, done: (answer: Answer) => void): void {
    let line = this.#lines.get(name)
    if (line === undefined) {
      line = new Line()
      this.#lines.set(name, line)
    }
    if (line.underWay >= service.maxConcurrent && line.waiting.length >= service.maxWaiting) {
      this.#counters.count('service-busy')
      setImmediate(done, { ok: false, reason: 'busy' })
      return
    }
    line.waiting.push({ service, body: JSON.stringify(question), done, deadline: AbortSignal.timeout(service.timeoutMs) })
    this.#advance(line)
  }

  #advance(line: Line): void {
    for (;;) {
      const next = line.waiting[0]
      if (next === undefined || line.underWay >= next.service.maxConcurrent) return
      line.waiting.shift()
      line.underWay++
      void this.#serve(line, next)
    }
  }

  async #serve(line: Line, question: Question): Promise<void> {
    const answer = await this.#answerTo(question)
    line.underWay--
    this.#advance(line)
    question.done(answer)
  }

  async #answerTo({ service, body, deadline }: Question): Promise<Answer> {
    try {
      // Also when its turn came too late: then this rejects at once.
      const response = await fetch(service.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body,
        redirect: 'error',
        signal: deadline,
      })
      return { ok: true, status: response.status, text: await readUpTo(response, service.maxAnswerBytes) }
    } catch (error) {
      const reason: ServiceFailure = deadline.aborted ? 'timeout' : error instanceof TooLarge ? 'too-large' : 'unreachable'
      this.#counters.count(`service-${reason}`)
      return { ok: false, reason }
    }
  }
}

async function readUpTo(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > maxBytes) throw new TooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

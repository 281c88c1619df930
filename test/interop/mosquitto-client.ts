/** mosquitto_sub and mosquitto_pub, pointed at one listener. */
import { randomUUID } from 'node:crypto'
import type { Cleanup } from '../e2e/child.ts'
import { Child } from '../e2e/child.ts'
import { program } from './program.ts'

export type Version = 'mqttv31' | 'mqttv311' | 'mqttv5'

export interface Message {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  readonly text: string
}

/** What it prints for each message: a mark that no debug line begins with, then the fields. */
const MARK = 'message'
const FORMAT = `${MARK}\t%t\t%q\t%r\t%p`

/** A pipe would get its output in blocks; `stdbuf` then becomes the program. */
const LINE_BY_LINE = ['-oL']

/** What `Subscriber` and `publish` are made of, for `lacking`. */
export const MOSQUITTO = ['mosquitto_pub', 'mosquitto_sub', 'stdbuf'] as const

export class Subscriber {
  readonly child: Child

  private constructor(child: Child) {
    this.child = child
  }

  /** Resolves when the subscription is acknowledged. */
  static async open(port: number, version: Version, args: readonly string[], cleanup: Cleanup): Promise<Subscriber> {
    const own = ['-d', '-h', '127.0.0.1', '-p', String(port), '-V', version, '-F', FORMAT]
    const child = new Child(program('stdbuf'), [...LINE_BY_LINE, program('mosquitto_sub'), ...own, ...args], {}, cleanup)
    await child.line(/^Subscribed \(mid/)
    return new Subscriber(child)
  }

  get messages(): Message[] {
    return this.child.out.flatMap((line) => {
      const [mark, topic = '', qos, retain, ...payload] = line.split('\t')
      return mark === MARK ? [{ topic, qos: Number(qos), retain: retain === '1', text: payload.join('\t') }] : []
    })
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text)
  }

  /** Waits until so many messages came; resolves with all that are there then. */
  async received(count: number): Promise<Message[]> {
    return this.child.until(`${count} messages`, () => {
      const { messages } = this
      return messages.length >= count ? messages : undefined
    })
  }

  /** Says DISCONNECT and ends. */
  async leave(): Promise<void> {
    await this.child.stop('SIGTERM')
  }
}

/** Publishes, and resolves when the program has ended successfully. */
export async function publish(port: number, version: Version, args: readonly string[], input?: string): Promise<void> {
  const own = ['-h', '127.0.0.1', '-p', String(port), '-V', version]
  const child = new Child(program('mosquitto_pub'), [...own, ...args], input === undefined ? {} : { input })
  try {
    await child.succeeds()
  } finally {
    await child.stop('SIGKILL')
  }
}

/** A topic level that no other test uses. */
export function unique(): string {
  return randomUUID()
}

/**
 * Topic rewriting by rules, as EMQX has it: of the rules whose source filter matches the topic, the last one decides; the
 * topic becomes its target if it fits the pattern, and stays as it is otherwise. Of `$share` and `$delayed` topics the
 * part behind the prefix is rewritten.
 */
import { encodeClientId, type Message, parseDelayed, parseShared, topicMatches } from '../sdk.ts'
import { Pattern } from './pattern.ts'

export interface RewriteRule {
  readonly action: 'publish' | 'subscribe' | 'all'
  /** Topic filter. */
  readonly source: string
  readonly pattern: string
  /** With `$1` to `$9` for the groups of the pattern, and placeholders for the client. */
  readonly target: string
}

/** Whose topics they are. */
export interface RewriteClient {
  readonly id: string
  readonly username: string | undefined
}

interface Rule {
  readonly source: string
  readonly pattern: Pattern
  readonly target: readonly string[]
  /** False when every client gets the same topic. */
  readonly personal: boolean
}

/** Rewritten for everybody; or what the pattern's groups hold, to be filled in for each client. */
type Found = string | { readonly rule: Rule; readonly groups: readonly (string | undefined)[] }

/** Topics remembered for each action; past it the memory starts anew. */
const CACHE_LIMIT = 4096
/** Longer topics are rewritten but not remembered. */
const CACHED_LENGTH = 256

const VARIABLE = /(\$[1-9]|%[cu]|\$\{(?:clientid|username)\})/
const PERSONAL = /%[cu]|\$\{(?:clientid|username)\}/

export class TopicRewrite {
  readonly #publish: RuleSet
  readonly #subscribe: RuleSet

  /** The patterns must be valid: see `rewriteFault`. */
  constructor(rules: readonly RewriteRule[]) {
    this.#publish = new RuleSet(rules.filter(({ action }) => action !== 'subscribe'))
    this.#subscribe = new RuleSet(rules.filter(({ action }) => action !== 'publish'))
  }

  /** The topic that a publish of this client goes to. */
  topic(topic: string, client: RewriteClient): string {
    const delayed = parseDelayed(topic)
    if (delayed === 'invalid') return topic
    if (delayed !== undefined) return topic.slice(0, -delayed.topic.length) + this.#publish.apply(delayed.topic, client)
    return this.#publish.apply(topic, client)
  }

  message(message: Message, client: RewriteClient): Message {
    const topic = this.topic(message.topic, client)
    return topic === message.topic ? message : message.withTopic(topic)
  }

  /** The filter that a subscribe, an unsubscribe or a read of this client means. */
  filter(filter: string, client: RewriteClient): string {
    const shared = parseShared(filter)
    if (shared === 'invalid') return filter
    if (shared !== undefined) return `$share/${shared.group}/${this.#subscribe.apply(shared.filter, client)}`
    return this.#subscribe.apply(filter, client)
  }
}

class RuleSet {
  /** The last one first. */
  readonly #rules: readonly Rule[]
  readonly #cache = new Map<string, Found>()

  constructor(rules: readonly RewriteRule[]) {
    this.#rules = rules.map(compiled).reverse()
  }

  apply(topic: string, client: RewriteClient): string {
    if (this.#rules.length === 0) return topic
    let found = this.#cache.get(topic)
    if (found === undefined) {
      found = this.#find(topic, client)
      if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear()
      if (topic.length <= CACHED_LENGTH) this.#cache.set(topic, found)
    }
    return typeof found === 'string' ? found : fill(found.rule, found.groups, client)
  }

  #find(topic: string, client: RewriteClient): Found {
    const rule = this.#rules.find(({ source }) => topicMatches(source, topic))
    const groups = rule?.pattern.match(topic)
    if (rule === undefined || groups === undefined) return topic
    return rule.personal ? { rule, groups } : fill(rule, groups, client)
  }
}

function compiled({ source, pattern, target }: RewriteRule): Rule {
  const program = Pattern.compile(pattern)
  if (typeof program === 'string') throw new Error(`rewrite pattern ${pattern}: ${program}`)
  return { source, pattern: program, target: target.split(VARIABLE), personal: PERSONAL.test(target) }
}

function fill({ target }: Rule, groups: readonly (string | undefined)[], client: RewriteClient): string {
  let topic = ''
  for (const [index, part] of target.entries()) {
    if (index % 2 === 0) topic += part
    else if (part === '%c' || part === '${clientid}') topic += encodeClientId(client.id)
    else if (part === '%u' || part === '${username}') topic += encodeClientId(client.username ?? '')
    else topic += groups[Number(part[1]) - 1] ?? ''
  }
  return topic
}

/** What is wrong with a rule, and with which part of it; undefined when nothing is. */
export function rewriteFault(rule: RewriteRule): { readonly key: 'pattern' | 'target'; readonly text: string } | undefined {
  const pattern = Pattern.compile(rule.pattern)
  if (typeof pattern === 'string') return { key: 'pattern', text: `the pattern cannot be used: ${pattern}` }
  const fixed = rule.target.split(VARIABLE).filter((_, index) => index % 2 === 0)
  if (rule.action !== 'subscribe' && fixed.some((part) => /[+#]/.test(part)))
    return { key: 'target', text: 'a publish cannot go to a topic with wildcards' }
  for (const [variable, digit] of rule.target.matchAll(/\$([1-9])/g)) {
    if (Number(digit) > pattern.groups)
      return { key: 'target', text: `${variable} stands for nothing, the pattern has ${pattern.groups} groups` }
  }
  return undefined
}

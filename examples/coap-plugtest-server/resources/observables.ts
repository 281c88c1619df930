/** The observable resources: TD_COAP_OBS_01 to 14. */
import { CHANGED } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import { LARGE_BYTES, large, rows } from './large.ts'
import { Observable, periodOf } from './observable.ts'
import { type Resource, resource } from './resource.ts'

/** `08:00:05`, UTC. */
function time(now: number): string {
  return new Date(now).toISOString().slice(11, 19)
}

/** One line, and twenty of them, by turns: one block, and several. */
function pumping(now: number): string {
  const title = `${time(now)} `
  return periodOf(now) % 2 === 0 ? rows(title, 1) : large(title)
}

/** Everything that changes by itself, so that a restart of the server can be played. */
class Observables {
  readonly #all: Observable[] = []

  add(confirmable: boolean, says: (now: number) => string): Observable {
    const value = new Observable(confirmable, says)
    this.#all.push(value)
    return value
  }

  forget(): void {
    for (const value of this.#all) value.forget()
  }
}

function observable(path: string, value: Observable, more: Resource['attributes'] = {}): Resource {
  const { get, put } = value
  return resource(path, { get, put, delete: value.delete }, { rt: 'observe', ct: TEXT, obs: true, ...more })
}

export function createObservables(): Resource[] {
  const all = new Observables()
  const reset = all.add(true, time)
  return [
    observable('obs', all.add(true, time)),
    observable('obs-non', all.add(false, time)),
    observable(
      'obs-large',
      all.add(true, (now) => large(`${time(now)} `)),
      { sz: LARGE_BYTES },
    ),
    observable('obs-pumping', all.add(true, pumping)),
    observable('obs-pumping-non', all.add(false, pumping)),
    resource(
      'obs-reset',
      {
        get: reset.get,
        put: reset.put,
        // TD_COAP_OBS_04: as if the server had been started anew.
        post: (inquiry) => {
          all.forget()
          inquiry.respond({ code: CHANGED })
        },
        delete: reset.delete,
      },
      { rt: 'observe', ct: TEXT, obs: true },
    ),
  ]
}

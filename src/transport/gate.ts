/** Holds output back until what it depends on is stored. */
export interface Gate {
  /** Output that is sent now may depend on something that is not stored. */
  readonly closed: boolean
  /** Has it stored, now. False: it cannot be, and what waits for it must not leave. */
  open(): boolean
  /** `output.flush` is called at the end of the loop turn. */
  postpone(output: { flush(): void }): void
}

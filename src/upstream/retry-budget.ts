// How many retries a backend may have: a share of its requests of late, and a few however few these are. When all endpoints fail, retries
// would else multiply the load that they fail under.

const WINDOW_MS = 10_000

export interface RetryBudgetSettings {
  readonly retryShare: number
  /** In ten seconds. */
  readonly retryFloor: number
}

/** Two halves of a window, of which the older one fades evenly. */
export class RetryBudget {
  /** In the present half; raised for each request, so that nothing is called there. */
  requests = 0
  readonly #settings: RetryBudgetSettings
  #retries = 0
  #requestsBefore = 0
  #retriesBefore = 0
  #began: number

  /** `now`: milliseconds, as in `take`. */
  constructor(settings: RetryBudgetSettings, now: number) {
    this.#settings = settings
    this.#began = now
  }

  /** Whether one more retry is within the budget; then it is counted. */
  take(now: number): boolean {
    this.#advance(now)
    const left = 1 - Math.max(0, now - this.#began) / WINDOW_MS
    const requests = this.requests + this.#requestsBefore * left
    const retries = this.#retries + this.#retriesBefore * left
    if (retries + 1 > requests * this.#settings.retryShare + this.#settings.retryFloor) return false
    this.#retries++
    return true
  }

  /** Requests are dated when somebody asks: what came in a longer time counts as having come evenly. */
  #advance(now: number): void {
    const passed = now - this.#began
    if (passed < WINDOW_MS) return
    this.#requestsBefore = (this.requests * WINDOW_MS) / passed
    this.#retriesBefore = passed < 2 * WINDOW_MS ? this.#retries : 0
    this.requests = this.#retries = 0
    this.#began = now
  }
}

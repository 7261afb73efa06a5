/** Lets a few things run at a time; the others wait in line, and leave it when they are aborted. */
export class Runner {
  private running = 0;
  private waiting: { start: () => void; signal?: AbortSignal }[] = [];
  constructor(private most: number) {}

  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const abort = () => {
        this.waiting = this.waiting.filter((item) => item.start !== start);
        reject(signal?.reason instanceof Error ? signal.reason : new DOMException('Aborted', 'AbortError'));
      };
      const start = () => {
        signal?.removeEventListener('abort', abort);
        this.running++;
        work().then(resolve, reject).finally(() => {
          this.running--;
          this.next();
        });
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.waiting.push({ start, signal });
      this.next();
    });
  }
  private next(): void {
    while (this.running < this.most && this.waiting.length > 0) this.waiting.shift()!.start();
  }
}
/** Cards of a dashboard: more at once would only queue up in the database. */
export const cardRunner = new Runner(6);

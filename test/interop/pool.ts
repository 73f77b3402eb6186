/** Runs every piece of work, two at a time: a process of its own each, on machines of few cores. */
export async function runAll<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Map<Item, Result>> {
  const results = new Map<Item, Result>()
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) results.set(item, await work(item))
  }
  await Promise.all([worker(), worker()])
  return results
}

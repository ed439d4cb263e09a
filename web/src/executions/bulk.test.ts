import { describe, expect, it } from "vitest";
import { type Progress, performAll } from "./bulk";

const targets = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ arn: `arn-${at}`, name: `n${at}` }));

describe("performAll", () => {
  it("goes on after a failure, and says whose it was", async () => {
    const seen: Progress[] = [];
    const result = await performAll(
      targets(20),
      async ({ name }) => {
        if (name === "n3") throw new Error("it has ended");
      },
      (progress) => seen.push(progress),
    );
    expect(result).toEqual({ done: 20, failures: [{ name: "n3", message: "it has ended" }] });
    expect(seen.map((one) => one.done)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it("has only a few under way", async () => {
    let running = 0;
    let most = 0;
    await performAll(
      targets(50),
      async () => {
        running += 1;
        most = Math.max(most, running);
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        running -= 1;
      },
      () => undefined,
    );
    expect(most).toBeLessThanOrEqual(6);
    expect(most).toBeGreaterThan(1);
  });
});

import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { closeArchive, handlerFile, openArchive, pathProblem, textFile } from "./archive";

const unbase64 = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

describe("archive", () => {
  it("keeps texts, other bytes and rights", () => {
    const zip = zipSync({
      bootstrap: [strToU8("#!/bin/sh\n"), { os: 3, attrs: 0o100755 << 16 }],
      "lib/data.bin": new Uint8Array([0, 255, 1]),
      "app.py": strToU8("print('太郎')\n"),
    });
    const files = openArchive(zip);
    expect(files.map((file) => [file.path, file.text])).toEqual([
      ["app.py", "print('太郎')\n"],
      ["bootstrap", "#!/bin/sh\n"],
      ["lib/data.bin", null],
    ]);
    const again = openArchive(unbase64(closeArchive(files)));
    expect(again.map((file) => [file.path, [...file.data]])).toEqual(
      files.map((file) => [file.path, [...file.data]]),
    );
    const rights = again.find((file) => file.path === "bootstrap")?.attributes ?? 0;
    expect((rights >>> 16) & 0o777).toBe(0o755);
  });

  it("is the same for the same files", () => {
    const files = [textFile("app.py", "x = 1\n")];
    expect(closeArchive(files)).toBe(closeArchive(files));
  });

  it("finds the handler's file", () => {
    const files = [
      textFile("README.md", ""),
      textFile("src/app.py", ""),
      textFile("index.mjs", ""),
    ];
    expect(handlerFile("index.handler", files)).toBe("index.mjs");
    expect(handlerFile("src.app.handler", files)).toBe("src/app.py");
    expect(handlerFile("nothing.handler", files)).toBe("README.md");
    expect(handlerFile("a.b", [])).toBeNull();
  });

  it("refuses paths that lead out, and those that are taken", () => {
    const files = [textFile("app.py", "")];
    expect(pathProblem("../x", files)).toMatch(/inside/);
    expect(pathProblem("/x", files)).toMatch(/inside/);
    expect(pathProblem("", files)).toMatch(/name/);
    expect(pathProblem("app.py", files)).toMatch(/already/);
    expect(pathProblem("lib/x.py", files)).toBeNull();
  });
});

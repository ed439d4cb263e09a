// What runs in a Node.js worker: loads the handler, then takes one event after another from the Lambda Runtime API;
// or several at once, where the function allows it.
// No dependencies; Node.js 22 or newer. The connection is a bare socket: `fetch` and `http` cost a cold start dearly.

import { existsSync, writeSync } from "node:fs";
import module from "node:module";
import net from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format, inspect } from "node:util";

const API = "/2018-06-01/runtime/";
const EXTENSIONS = [".js", ".mjs", ".cjs"];
const LEVELS = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4, FATAL: 5 };
const LINE_END = Buffer.from("\r\n\r\n");
const environment = process.env;
const isJson = (environment.AWS_LAMBDA_LOG_FORMAT ?? "").toUpperCase() === "JSON";

const runsMax = Number(environment.AWS_LAMBDA_MAX_CONCURRENCY ?? 1);
/** Whose code runs, where several runs share the process; that costs a cold start, and each await. */
const contexts = runsMax > 1 ? new (await import("node:async_hooks")).AsyncLocalStorage() : undefined;
/** The run that is on, or was last begun. */
let lastBegun = { requestId: undefined, tenantId: undefined };

function current() {
  return contexts?.getStore() ?? lastBegun;
}

/** What the runtime itself holds against the function. */
class RuntimeFault extends Error {
  constructor(name, message, cause) {
    super(message);
    this.name = name;
    if (cause?.stack) this.stack = cause.stack.replace(/^[^\n]*/, `${name}: ${message}`);
  }
}

/** The worker's end of the Runtime API: one connection, one call at a time. */
class RuntimeApi {
  constructor(address) {
    const [host, port] = address.split(":");
    this.host = address;
    this.pending = undefined;
    this.chunks = [];
    this.size = 0;
    this.expected = undefined;
    this.socket = net.connect({ host, port: Number(port), noDelay: true });
    this.socket.on("data", (chunk) => this.take(chunk));
    this.socket.on("close", () => process.exit(1)); // The server is gone.
    this.socket.on("error", () => process.exit(1));
  }

  next() {
    return this.call(`GET ${API}invocation/next HTTP/1.1\r\nHost: ${this.host}\r\n\r\n`);
  }

  post(target, body, errorType) {
    const bytes = Buffer.from(body);
    const extra = errorType ? `Lambda-Runtime-Function-Error-Type: ${errorType.replace(/[^\x20-\x7e]/g, "?")}\r\n` : "";
    const head =
      `POST ${API}${target} HTTP/1.1\r\nHost: ${this.host}\r\nContent-Type: application/json\r\n${extra}` +
      `Content-Length: ${bytes.length}\r\n\r\n`;
    return this.call(Buffer.concat([Buffer.from(head), bytes]));
  }

  /** Let the process end, or reach `beforeExit`, although the connection is open. */
  release() {
    this.socket.unref();
  }

  call(request) {
    this.socket.ref();
    return new Promise((resolve) => {
      this.pending = resolve;
      this.socket.write(request);
    });
  }

  take(chunk) {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.expected === undefined) {
      const all = Buffer.concat(this.chunks);
      this.chunks = [all];
      const end = all.indexOf(LINE_END);
      if (end < 0) return;
      this.head = parseHead(all.toString("latin1", 0, end));
      this.start = end + 4;
      this.expected = this.start + Number(this.head.headers["content-length"] ?? 0);
    }
    if (this.size < this.expected) return;
    const all = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    const reply = { ...this.head, body: all.subarray(this.start, this.expected) };
    const resolve = this.pending;
    this.pending = this.expected = undefined;
    this.chunks = [];
    this.size = 0;
    resolve?.(reply);
  }
}

function parseHead(text) {
  const [first, ...lines] = text.split("\r\n");
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(first.split(" ")[1]), headers };
}

// Logs. Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html

/** Write a line now, whole, whatever the state of the streams; line ends inside become carriage returns. */
function writeLine(text) {
  let bytes = Buffer.from(`${text.replace(/\n/g, "\r")}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") return;
    }
  }
}

function log(level, values) {
  const timestamp = new Date().toISOString();
  if (!isJson) {
    writeLine(`${timestamp}\t${current().requestId ?? "undefined"}\t${level}\t${format(...values)}`);
    return;
  }
  const { requestId, tenantId } = current();
  const record = { timestamp, level, requestId };
  if (tenantId) record.tenantId = tenantId;
  const error = values.find((value) => value instanceof Error);
  if (values.length === 1 && !(error instanceof Error)) record.message = values[0];
  else record.message = format(...values);
  if (error) {
    record.errorType = error.name ?? "Error";
    record.errorMessage = error.message;
    record.stackTrace = stackLines(error);
  }
  writeLine(stringify(record));
}

/** JSON of anything: errors with their fields, and what is circular or too big a number as text. */
function stringify(record) {
  const readable = (_key, value) => {
    if (value instanceof Error) {
      return { errorType: value.name, errorMessage: value.message, stackTrace: stackLines(value), ...value };
    }
    return typeof value === "bigint" ? value.toString() : value;
  };
  try {
    return JSON.stringify(record, readable);
  } catch {
    return JSON.stringify({ ...record, message: inspect(record.message) });
  }
}

function stackLines(error) {
  return typeof error?.stack === "string" ? error.stack.split("\n") : [];
}

function patchConsole() {
  const least = LEVELS[(environment.AWS_LAMBDA_LOG_LEVEL ?? "").toUpperCase()] ?? LEVELS.TRACE;
  const methods = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR", fatal: "FATAL" };
  for (const [method, level] of Object.entries(methods)) {
    console[method] = LEVELS[level] < least ? () => {} : (...values) => log(level, values);
  }
}

// Errors.

function describe(error) {
  if (error instanceof Error || (error && typeof error.message === "string" && typeof error.name === "string")) {
    return { errorType: String(error.name ?? "Error"), errorMessage: String(error.message), trace: stackLines(error) };
  }
  return { errorType: typeof error, errorMessage: typeof error === "string" ? error : format(error), trace: [] };
}

/** Write an error as AWS does: its fields as JSON, with the stack. */
function logError(title, error) {
  const { errorType, errorMessage, trace } = describe(error);
  const own = error instanceof Error ? { ...error } : {};
  if (isJson) {
    const timestamp = new Date().toISOString();
    const message = { errorType, errorMessage, stackTrace: trace };
    writeLine(stringify({ timestamp, level: "ERROR", requestId: current().requestId, message }));
  } else {
    log("ERROR", [`${title} \t${stringify({ errorType, errorMessage, ...own, stack: trace })}`]);
  }
}

// The handler.

/** Make the runtime's own libraries importable where the function brings none. ESM does not look at NODE_PATH. */
function offerLibraries(folder) {
  if (!folder || !module.registerHooks) return;
  const parentURL = pathToFileURL(path.join(folder, "index.js")).href;
  module.registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        const isBare = !/^(\.{0,2}\/|[a-z]+:)/.test(specifier);
        if (!isBare || !["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(error.code)) throw error;
        try {
          return nextResolve(specifier, { ...context, parentURL });
        } catch {
          throw error;
        }
      }
    },
  });
}

async function loadHandler(root, name) {
  const base = path.basename(name);
  const match = /^([^.]*)\.(.*)$/.exec(base);
  if (!match || name.includes("..")) throw new RuntimeFault("Runtime.MalformedHandlerName", `Bad handler '${name}'`);
  const [, file, names] = match;
  const stem = path.join(root, path.dirname(name), file);
  const found = EXTENSIONS.map((extension) => stem + extension).find((one) => existsSync(one));
  if (!found) {
    const wanted = path.join(path.dirname(name), file);
    throw new RuntimeFault("Runtime.ImportModuleError", `Error: Cannot find module '${wanted}'`);
  }
  const namespace = await importModule(found);
  const pick = (value) => names.split(".").reduce((inner, key) => inner?.[key], value);
  const handler = pick(namespace) ?? pick(namespace.default);
  if (handler === undefined) throw new RuntimeFault("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new RuntimeFault("Runtime.HandlerNotFound", `${name} is not a function`);
  return handler;
}

async function importModule(file) {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new RuntimeFault("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`, error);
    }
    if (["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(error?.code)) {
      throw new RuntimeFault("Runtime.ImportModuleError", `Error: ${error.message}`, error);
    }
    throw error;
  }
}

// One run.

function makeContext(headers, run) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = headers["lambda-runtime-client-context"];
  return {
    get callbackWaitsForEmptyEventLoop() {
      return run.waitsForEmptyLoop;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      run.waitsForEmptyLoop = value;
    },
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? JSON.parse(clientContext) : undefined,
    identity: undefined,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: (error, result) => run.settle(error, result, true),
    succeed: (result) => run.settle(null, result, true),
    fail: (error) => run.settle(error ?? "handled", undefined, true),
  };
}

/** Call the handler; the promise settles when it returned, called back, or left nothing that could still happen. */
function callHandler(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const run = { waitsForEmptyLoop: true, isSettled: false };
    const finish = (error, result) => {
      process.removeListener("beforeExit", onEmpty);
      if (error) reject(error);
      else resolve(result);
    };
    const onEmpty = () => finish(run.error, run.result);
    run.settle = (error, result, atOnce) => {
      if (run.isSettled) return;
      run.isSettled = true;
      Object.assign(run, { error, result });
      if (atOnce || !run.waitsForEmptyLoop) finish(error, result);
    };
    const answer = handler(event, makeContext(headers, run), (error, result) => run.settle(error, result, false));
    if (typeof answer?.then === "function") {
      answer.then(
        (result) => run.settle(null, result, true),
        (error) => run.settle(error ?? new Error("the handler's promise was rejected"), undefined, true),
      );
    } else {
      process.once("beforeExit", onEmpty); // A handler that calls back is done when the event loop is empty.
    }
  });
}

async function runOnce(api, handler) {
  const { status, headers, body } = await api.next();
  if (status !== 200) process.exit(1);
  const requestId = headers["lambda-runtime-aws-request-id"];
  const run = { requestId, tenantId: headers["lambda-runtime-aws-tenant-id"] };
  if (contexts) {
    await contexts.run(run, () => answerOne(api, handler, headers, body, requestId));
    return;
  }
  lastBegun = run;
  if (headers["lambda-runtime-trace-id"]) environment._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  else delete environment._X_AMZN_TRACE_ID;
  await answerOne(api, handler, headers, body, requestId);
}

async function answerOne(api, handler, headers, body, requestId) {
  let answer;
  try {
    const event = parseEvent(body);
    api.release();
    const result = await callHandler(handler, event, headers);
    answer = encode(result);
  } catch (error) {
    logError("Invoke Error", error);
    const document = describe(error);
    await api.post(`invocation/${requestId}/error`, JSON.stringify(document), document.errorType);
    return;
  }
  await api.post(`invocation/${requestId}/response`, answer);
}

function parseEvent(body) {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new RuntimeFault("Runtime.UnmarshalError", `Unable to unmarshal input: ${error.message}`, error);
  }
}

function encode(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch (error) {
    throw new RuntimeFault("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`, error);
  }
}

/** End the process as AWS does when the function left an error to nobody. */
function watchForOrphans(api) {
  const give = async (title, error, status) => {
    logError(title, error);
    const document = describe(error);
    const { requestId } = current();
    const target = requestId ? `invocation/${requestId}/error` : "init/error";
    await api.post(target, JSON.stringify(document), document.errorType);
    process.exit(status);
  };
  process.on("uncaughtException", (error) => give("Uncaught Exception", error, 129));
  process.on("unhandledRejection", (reason) => {
    const error = reason instanceof Error ? reason : new Error(format(reason));
    const message = `${error.name}: ${error.message}`;
    give("Unhandled Promise Rejection", new RuntimeFault("Runtime.UnhandledPromiseRejection", message, error), 128);
  });
}

async function main() {
  patchConsole();
  const api = new RuntimeApi(environment.AWS_LAMBDA_RUNTIME_API);
  offerLibraries(environment.PERDURE_NODE_LIBRARIES);
  delete environment.PERDURE_NODE_LIBRARIES;
  let handler;
  try {
    handler = await loadHandler(environment.LAMBDA_TASK_ROOT, environment._HANDLER);
  } catch (error) {
    logError("Uncaught Exception", error);
    const document = describe(error);
    await api.post("init/error", JSON.stringify(document), document.errorType);
    process.exit(1);
  }
  watchForOrphans(api);
  for (let others = 1; others < runsMax; others++) serve(new RuntimeApi(environment.AWS_LAMBDA_RUNTIME_API), handler);
  await serve(api, handler);
}

async function serve(api, handler) {
  for (;;) await runOnce(api, handler);
}

main(); // Not awaited: a handler that waits for nothing ends the process, as on AWS.

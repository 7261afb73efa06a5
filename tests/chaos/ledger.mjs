// What the outside remembers: every write that was acknowledged must be found afterwards; one whose answer never came may
// be there or not, but not in another form.
import { randomBytes } from "node:crypto";

import { sleep } from "./chaos.mjs";

// What is written to: the API's path, the table, and the column that carries a value nobody else writes.
const kinds = {
  dashboard: { path: "/api/dashboard", table: "dashboard", column: "description", body: (name, value) => ({ name, description: value }), change: (value) => ({ description: value }) },
  snippet: { path: "/api/native-query-snippet", table: "snippet", column: "content", body: (name, value) => ({ name, content: value, collection_id: null }), change: (value) => ({ content: value }) },
  collection: { path: "/api/collection", table: "collection", column: "description", body: (name, value) => ({ name, description: value }), change: (value) => ({ description: value }) },
};

export class Ledger {
  entries = new Map();   // "dashboard/12" → {kind, id, values: [what it may be]; null in the list: it may be gone}
  names = new Set();     // of things whose creation was never answered
  counts = { acknowledged: 0, refused: 0, unanswered: 0 };
  stamp = 0;

  // The state at this moment, to go back to after a restore.
  mark() { return { entries: structuredClone(this.entries), names: new Set(this.names) }; }
  rewind(mark) { this.entries = structuredClone(mark.entries); this.names = new Set(mark.names); }

  // One write through `server`; gives the status, or 0 when no answer came.
  async write(server, random) {
    const kind = Object.keys(kinds)[Math.floor(random() * 3)];
    const { path, body, change } = kinds[kind];
    const known = [...this.entries.values()].filter((entry) => entry.kind === kind && !entry.values.includes(null) && !entry.busy);
    const value = `v${++this.stamp}-${randomBytes(4).toString("hex")}`;
    const dice = random();
    if (known.length < 3 || dice < 0.5) {
      const name = `${kind} ${value}`;
      this.names.add(name);
      const answer = await this.#ask(server, "POST", path, body(name, value));
      if (answer.status === 200) {
        this.names.delete(name);
        this.entries.set(`${kind}/${answer.body.id}`, { kind, id: String(answer.body.id), name, values: [value] });
      } else if (answer.status >= 400 && answer.status < 500) this.names.delete(name);
      return answer.status;
    }
    const entry = known[Math.floor(random() * known.length)];
    entry.busy = true;
    try {
      if (dice > 0.95 && kind === "dashboard") {
        const old = entry.values;
        entry.values = [...old, null];
        const answer = await this.#ask(server, "DELETE", `${path}/${entry.id}`);
        if (answer.status === 204 || answer.status === 200) entry.values = [null];
        else if (answer.status >= 400) entry.values = answer.status === 404 ? [...old, "?404"] : [...old, null];
        return answer.status;
      }
      const old = entry.values;
      entry.values = [...old, value];
      const answer = await this.#ask(server, "PUT", `${path}/${entry.id}`, change(value));
      if (answer.status === 200) entry.values = [value];
      return answer.status;
    } finally {
      entry.busy = false;
    }
  }

  async #ask(server, method, path, body) {
    let answer;
    try {
      answer = await server.request(method, path, body, { timeout: 15_000 });
    } catch {
      answer = { status: 0 };
    }
    ++this.counts[answer.status === 0 ? "unanswered" : answer.status < 300 ? "acknowledged" : "refused"];
    (this.statuses ??= {})[answer.status] = (this.statuses[answer.status] ?? 0) + 1;
    if (answer.status >= 500) this.last_refusal = JSON.stringify(answer.body);
    return answer;
  }

  // Compares with the data; gives complaints. What was open is settled by what is there.
  async compare(place) {
    const wrong = [];
    const parked = (await place.rows("SELECT value FROM upgrade_park")).map(([value]) => value).join("\n");
    for (const [kind, { table, column }] of Object.entries(kinds)) {
      const rows = await place.rows(`SELECT id, name, ${column} AS said FROM ${table}`);
      const there = new Map(rows.map(([id, name, said]) => [id, { name, said }]));
      const by_name = new Map();
      for (const [id, name] of rows) by_name.set(name, [...(by_name.get(name) ?? []), id]);
      for (const entry of this.entries.values()) {
        if (entry.kind !== kind) continue;
        const row = there.get(entry.id);
        if (!row) {
          if (!entry.values.includes(null) && !parked.includes(entry.values[0])) wrong.push(`an acknowledged ${kind} is gone: ${entry.id} ${entry.name}`);
          entry.values = [null];
        } else if (!entry.values.includes(row.said)) {
          wrong.push(entry.values.length === 1 && entry.values[0] === null ? `a deleted ${kind} is back: ${entry.id}` : `${kind} ${entry.id} says ${row.said} instead of ${entry.values.join(" or ")}`);
          entry.values = [row.said];
        } else entry.values = [row.said];
        if (row && (by_name.get(entry.name)?.length ?? 0) > 1) wrong.push(`${kind} ${entry.name} is there twice`);
      }
      for (const name of [...this.names]) {
        if (!name.startsWith(`${kind} `)) continue;
        const ids = by_name.get(name) ?? [];
        if (ids.length > 1) wrong.push(`${kind} ${name}, sent once, is there ${ids.length} times`);
        // Its answer never came, but it is there: from now on it must stay.
        if (ids.length === 1) { this.entries.set(`${kind}/${ids[0]}`, { kind, id: ids[0], name, values: [there.get(ids[0]).said] }); }
        this.names.delete(name);
      }
    }
    return wrong;
  }
}

// Writers that go on until stopped: {stop(): Promise}.
export function load(ledger, server, random, { writers = 4, pause = 2 } = {}) {
  let going = true;
  const loop = async () => {
    while (going) {
      const target = typeof server === "function" ? server() : server;
      if (!target) { await sleep(5); continue; }
      const status = await ledger.write(target, random);
      await sleep(status === 0 || status >= 500 ? 10 : pause);
    }
  };
  const loops = Array.from({ length: writers }, loop);
  return { stop: async () => { going = false; await Promise.all(loops); } };
}

// An SMS centre for the tests. Its one argument is a JSON object with its settings; lines of JSON on
// standard input tell it what to do; lines of JSON on standard output tell what it saw.
import { createInterface } from "node:readline";
import smpp from "smpp";

const settings = JSON.parse(process.argv[2] ?? "{}");
const say = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + "\n");

const sessions = new Set();
const sockets = new Set();
// What is done with the next submits instead of taking them: {status, hang, drop, delay}.
const plans = [];
let silent = false;
let busy = 0;
let busiest = 0;
let count = 0;

function bind(session, pdu, role) {
  const right = pdu.system_id === settings.systemId && pdu.password === settings.password;
  say("bind", { role, system_id: pdu.system_id, system_type: pdu.system_type, right });
  if (!right) return session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
  session.role = role;
  sessions.add(session);
  session.send(pdu.response({ system_id: "centre" }));
}

function take(session, pdu) {
  busy += 1;
  busiest = Math.max(busiest, busy);
  const plan = plans[0];
  if (plan) {
    plan.times = (plan.times ?? 1) - 1;
    if (plan.times <= 0) plans.shift();
  }
  const text = pdu.short_message;
  const seen = {
    from: pdu.source_addr,
    to: pdu.destination_addr,
    ton: pdu.dest_addr_ton,
    npi: pdu.dest_addr_npi,
    esm_class: pdu.esm_class,
    data_coding: pdu.data_coding,
    registered_delivery: pdu.registered_delivery,
    udh: text.udh ? [...Buffer.concat([].concat(text.udh))] : null,
    text: Buffer.isBuffer(text.message) ? text.message.toString("hex") : text.message,
  };
  const answer = () => {
    busy -= 1;
    if (plan?.status) {
      say("refused", { status: plan.status, ...seen });
      return session.send(pdu.response({ command_status: plan.status }));
    }
    const id = "m" + ++count;
    say("submit", { id, at: Date.now(), ...seen });
    session.send(pdu.response({ message_id: id }));
  };
  if (plan?.drop) {
    busy -= 1;
    say("dropped", seen);
    return session.socket.destroy();
  }
  if (plan?.hang) {
    busy -= 1;
    return say("ignored", seen);
  }
  const delay = plan?.delay ?? settings.delay ?? 0;
  delay ? setTimeout(answer, delay) : answer();
}

// With a certificate it speaks TLS from the first byte.
const { key, cert } = settings;
const server = smpp.createServer(key ? { key, cert } : {}, (session) => {
  say("connect");
  sockets.add(session.socket);
  for (const role of ["transceiver", "transmitter", "receiver"]) {
    session.on("bind_" + role, (pdu) => bind(session, pdu, role));
  }
  session.on("submit_sm", (pdu) => take(session, pdu));
  session.on("enquire_link", (pdu) => {
    say("enquire_link");
    if (!silent) session.send(pdu.response());
  });
  session.on("unbind", (pdu) => {
    say("unbind");
    session.send(pdu.response());
    session.close();
  });
  session.on("pdu", (pdu) => {
    if (pdu.command.endsWith("_resp")) say("answer", { command: pdu.command, status: pdu.command_status });
  });
  session.on("error", () => {});
  session.on("close", () => {
    sessions.delete(session);
    sockets.delete(session.socket);
    say("close");
  });
});

const port = () => server.address().port;
server.listen(settings.port ?? 0, "127.0.0.1", () => say("listening", { port: (settings.port = port()) }));

const receiving = () => [...sessions].find((one) => one.role !== "transmitter");

const deeds = {
  plan: ({ plan }) => plans.push(plan),
  silent: ({ on }) => (silent = on),
  busiest: () => say("busiest", { busiest }),
  deliver: ({ from, hex, coding, esm_class = 0, payload = false, fields = {} }) => {
    const bytes = Buffer.from(hex, "hex");
    const body = payload ? { short_message: "", message_payload: bytes } : { short_message: bytes };
    receiving().deliver_sm({
      source_addr: from,
      destination_addr: "10690000",
      data_coding: coding,
      esm_class,
      ...body,
      ...fields,
    });
  },
  raw: ({ hex }) => receiving().socket.write(Buffer.from(hex, "hex")),
  unbind: () => receiving().unbind(),
  drop: () => [...sessions].forEach((one) => one.socket.destroy()),
  look: () => {},
  // Whatever it was told to do wrong is forgotten.
  behave: () => (plans.length = 0),
};

// Nobody listens there any more, and then again: done when it is so.
const slow = {
  down: (done) => {
    server.close(done);
    sockets.forEach((one) => one.destroy());
  },
  up: (done) => {
    server.once("listening", done);
    server.listen(settings.port, "127.0.0.1");
  },
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { deed, ...more } = JSON.parse(line);
    if (slow[deed]) return slow[deed](() => say("told"));
    deeds[deed](more);
    say("told");
  })
  .on("close", () => process.exit(0));

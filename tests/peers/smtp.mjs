// A mail server for the tests. Its one argument is a JSON object with its settings; lines of JSON on
// standard input tell it how to misbehave; lines of JSON on standard output tell what it saw.
import { createInterface } from "node:readline";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

const settings = JSON.parse(process.argv[2] ?? "{}");
const say = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + "\n");

// What is done at each step instead of going on: {code, text, hang, drop}, `times` times.
const plans = { connect: [], auth: [], mail: [], rcpt: [], data: [] };

function misbehave(step, session, done) {
  const plan = plans[step][0];
  if (!plan) return false;
  plan.times = (plan.times ?? 1) - 1;
  if (plan.times <= 0) plans[step].shift();
  if (plan.hang) return true;
  if (plan.drop) {
    for (const one of server.connections) if (one.session.id === session.id) one._socket.destroy();
    return true;
  }
  const error = new Error(plan.text ?? "no");
  error.responseCode = plan.code;
  done(error);
  return true;
}

const go = (step, on) => (...given) => {
  const done = given.at(-1);
  const session = given.at(-2);
  if (!misbehave(step, session, done)) on(...given);
};

const server = new SMTPServer({
  secure: settings.secure ?? false,
  key: settings.key,
  cert: settings.cert,
  name: "mail.test",
  authOptional: !settings.user,
  hideSTARTTLS: settings.hideStarttls ?? false,
  disabledCommands: settings.key ? [] : ["STARTTLS"],
  disableReverseLookup: true,
  closeTimeout: 100,
  onConnect: go("connect", (session, done) => {
    say("connect");
    done();
  }),
  onAuth: (auth, session, done) => {
    if (misbehave("auth", session, done)) return;
    const right = auth.username === settings.user && auth.password === settings.password;
    say("auth", { user: auth.username, right, secure: session.secure });
    if (right) return done(null, { user: auth.username });
    const error = new Error("5.7.8 wrong name or password");
    error.responseCode = 535;
    done(error);
  },
  onMailFrom: go("mail", (address, session, done) => done()),
  onRcptTo: go("rcpt", (address, session, done) => done()),
  onData: (stream, session, done) => {
    if (plans.data[0]?.drop && plans.data[0].early) {
      stream.once("data", () => misbehave("data", session, done));
      return;
    }
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", async () => {
      if (misbehave("data", session, done)) return;
      const raw = Buffer.concat(chunks);
      const mail = await PostalMime.parse(raw);
      const headers = Object.fromEntries(mail.headers.map(({ key, value }) => [key, value]));
      say("mail", {
        at: Date.now(),
        hello: session.hostNameAppearsAs,
        secure: session.secure,
        user: session.user ?? null,
        envelope: {
          from: session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map((one) => one.address),
        },
        from: mail.from,
        to: mail.to,
        cc: mail.cc ?? null,
        bcc: mail.bcc ?? null,
        subject: mail.subject,
        text: mail.text ?? null,
        html: mail.html ?? null,
        headers,
        ascii: raw.every((byte) => byte < 128),
      });
      done(null, "2.0.0 Ok: queued as Q" + session.id.toUpperCase());
    });
  },
});

server.on("error", (error) => say("fault", { error: String(error.code ?? error.message) }));
server.listen(settings.port ?? 0, "127.0.0.1", () => say("listening", { port: server.server.address().port }));

const cut = () => server.connections.forEach((one) => one._socket.destroy());

const deeds = {
  look: (done) => done(),
  "hang up": (done) => (cut(), done()),
  // Whatever it was told to do wrong is forgotten.
  behave: (done) => (Object.values(plans).forEach((plan) => (plan.length = 0)), done()),
  // Nobody listens there any more, and then again.
  down: (done) => {
    const port = server.server.address().port;
    server.server.close(() => ((settings.port = port), done()));
    cut();
  },
  up: (done) => server.server.listen(settings.port, "127.0.0.1", done),
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { step, ...plan } = JSON.parse(line);
    if (deeds[step]) return deeds[step](() => say("told"));
    plans[step].push(plan);
    say("told");
  })
  .on("close", () => process.exit(0));

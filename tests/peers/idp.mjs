// An identity provider for the tests. Its one argument is a JSON object with its settings: client,
// secret, redirect. Lines of JSON on standard output tell what it saw.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const settings = JSON.parse(process.argv[2] ?? "{}");
const say = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + "\n");
console.info = console.warn = console.error = () => {};

const listener = createServer();
listener.listen(0, "127.0.0.1", () => {
  const { port } = listener.address();
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: settings.client,
      client_secret: settings.secret,
      redirect_uris: [settings.redirect],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    }],
    pkce: { required: () => true },
    acrValues: ["mfa"],
    findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    // Whoever has signed in agrees to be known here.
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ["for tests only"] },
  });
  listener.on("request", provider.callback());
  say("listening", { port });
});

// It ends with the test.
createInterface({ input: process.stdin }).on("close", () => process.exit(0));

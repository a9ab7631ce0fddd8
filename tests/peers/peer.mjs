// Signs or verifies requests, given as JSON on stdin, with a vendor's own library.

const HOST = "hooks.example.com";

const tasks = {
  async "octokit-sign"() {
    const { sign } = await import("@octokit/webhooks-methods");
    return ({ secret, body }) => sign(secret, body);
  },
  async "octokit-verify"() {
    const { verify } = await import("@octokit/webhooks-methods");
    return ({ secret, body, headers }) =>
      verify(secret, body, headers["x-hub-signature-256"]);
  },
  async "stripe-sign"() {
    const { default: Stripe } = await import("stripe");
    return ({ secret, body, now }) =>
      Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: now });
  },
  async "standard-sign"() {
    const { Webhook } = await import("standardwebhooks");
    return ({ secret, body, now, id }) =>
      new Webhook(secret).sign(id, new Date(now * 1000), body);
  },
  async "linear-verify"() {
    const { LinearWebhookClient } = await import("@linear/sdk/webhooks");
    return ({ secret, body, headers }) =>
      new LinearWebhookClient(secret).verify(
        Buffer.from(body),
        headers["linear-signature"],
        JSON.parse(body).webhookTimestamp,
      );
  },
  async "shopify-verify"() {
    await import("@shopify/shopify-api/adapters/node");
    const { shopifyApi, ApiVersion, LogSeverity } = await import("@shopify/shopify-api");
    const known = {
      "x-shopify-topic": "orders/create",
      "x-shopify-api-version": "2026-01",
      "x-shopify-shop-domain": "mill.myshopify.com",
      "x-shopify-webhook-id": "w-1",
    };
    return async ({ secret, body, headers }) => {
      const shopify = shopifyApi({
        apiKey: "key",
        apiSecretKey: secret,
        hostName: HOST,
        isEmbeddedApp: false,
        apiVersion: Object.values(ApiVersion).at(-1),
        logger: { level: LogSeverity.Error, log: () => {} },
      });
      const rawRequest = { method: "POST", url: "/x", headers: { ...known, ...headers } };
      const { valid } = await shopify.webhooks.validate({
        rawBody: body,
        rawRequest,
        rawResponse: {},
      });
      return valid;
    };
  },
};

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const requests = JSON.parse(Buffer.concat(chunks).toString());
const task = await tasks[process.argv[2]]();
const answers = [];
for (const request of requests) {
  try {
    answers.push(await task(request));
  } catch (error) {
    answers.push(request.refusing ? false : Promise.reject(error));
  }
}
process.stdout.write(JSON.stringify(await Promise.all(answers)));

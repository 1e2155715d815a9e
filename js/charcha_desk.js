// @ts-check
// What the page asks the server: one function a question. Knows no elements and no camera.

/** An answer that is no: `code` names the reason, the message is the server's own English sentence. */
export class DeskError extends Error {
  /** @param {string} code @param {string} sentence */
  constructor(code, sentence) {
    super(sentence);
    this.code = code;
  }
}

const PREFIX = "/music_video/person";

export class Desk {
  /** @param {any} api the page's own way to its server */
  constructor(api) {
    this.api = api;
  }

  notice(language) {
    return this.ask(`/notice?language=${language}`);
  }

  consent(consent) {
    return this.ask("/consent", consent);
  }

  session(consentId, wishes) {
    return this.ask("/session", { consent_id: consentId, ...wishes });
  }

  gallery(consentId) {
    return this.ask("/gallery", { consent_id: consentId });
  }

  finish(consentId, keep) {
    return this.ask("/finish", { consent_id: consentId, keep });
  }

  cancel(consentId) {
    return this.ask("/cancel", { consent_id: consentId });
  }

  people() {
    return this.ask("/people");
  }

  show(receiptId) {
    return this.ask("/people/show", { receipt_id: receiptId });
  }

  withdraw(receiptId) {
    return this.ask("/people/withdraw", { receipt_id: receiptId });
  }

  verifyLedger() {
    return this.ask("/ledger/verify", {});
  }

  async exportAll(receiptId) {
    return (await this.fetch("/people/export", { receipt_id: receiptId })).blob();
  }

  /** Where the camera's pictures go. @param {string} sessionId */
  cameraUrl(sessionId) {
    const url = new URL(this.api.apiURL(`${PREFIX}/camera/${sessionId}`), location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  }

  /** @param {string} path @param {object} [question] */
  async ask(path, question) {
    return (await this.fetch(path, question)).json();
  }

  /** Throws DeskError, with the code "lost" where nobody answers. @param {string} path @param {object} [question] @returns {Promise<Response>} */
  async fetch(path, question) {
    const options = { cache: "no-store" };
    if (question) Object.assign(options, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question) });
    let answer;
    try {
      answer = await this.api.fetchApi(PREFIX + path, options);
    } catch {
      throw new DeskError("lost", "ComfyUI does not answer.");
    }
    if (answer.ok) return answer;
    const refusal = await answer.json().catch(() => ({}));
    throw new DeskError(refusal.code ?? "failed", refusal.sentence ?? answer.statusText);
  }
}

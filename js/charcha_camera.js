// @ts-check
// The camera and its line to the server: pictures go out one by one, each answered before the next is sent, and the
// server's guidance comes back. Draws nothing; `video` is only where the person sees themselves.

const INTERVAL = 85; // ms between pictures: at most 12 a second
const PATIENCE = 15_000; // ms without an answer, after which the line is taken to be dead
const HEADER = 36; // bytes: a sequence number and the nonce
const WIDEST = 1280;
const QUALITY = 0.88;

/** Something about the camera or its line that the person can mend; `kind` names a text of `problems`. */
export class CameraProblem extends Error {
  /** @param {string} kind */
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

const KINDS = { NotFoundError: "missing", DevicesNotFoundError: "missing", OverconstrainedError: "missing", NotReadableError: "busy", TrackStartError: "busy", AbortError: "busy", NotAllowedError: "denied", SecurityError: "denied" };

export class Camera {
  constructor() {
    this.video = document.createElement("video");
    this.video.muted = true;
    this.video.playsInline = true;
    this.canvas = document.createElement("canvas");
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {WebSocket | null} */
    this.socket = null;
  }

  /** Switches the camera on. Throws CameraProblem. */
  async start() {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) throw new CameraProblem("insecure");
    const wish = { audio: false, video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia(wish);
    } catch (error) {
      throw new CameraProblem(KINDS[/** @type {any} */ (error)?.name] ?? "busy");
    }
    for (const track of this.stream.getTracks()) track.addEventListener("ended", () => this.fail("ended"));
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {}); // it is played again where it is shown
    if (!this.video.videoWidth) await new Promise((resolve) => this.video.addEventListener("loadeddata", resolve, { once: true }));
  }

  /**
   * Sends pictures until the session is done. Resolves with the last guidance; throws CameraProblem, or an error with a `code`.
   * @param {string} url @param {string} nonce @param {(guidance: any) => void} onGuidance
   */
  async run(url, nonce, onGuidance) {
    this.sequence = 0;
    this.nonce = Uint8Array.from(nonce.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    try {
      return await new Promise((resolve, reject) => {
        this.reject = reject;
        this.socket = new WebSocket(url);
        this.socket.addEventListener("open", () => this.send());
        this.socket.addEventListener("error", () => this.fail("lost"));
        this.socket.addEventListener("close", () => this.fail("lost"));
        this.socket.addEventListener("message", (event) => this.take(JSON.parse(event.data), onGuidance, resolve));
      });
    } finally {
      this.hangUp();
    }
  }

  /** @param {any} answer @param {(guidance: any) => void} onGuidance @param {(guidance: any) => void} resolve */
  take(answer, onGuidance, resolve) {
    if (answer.code) {
      this.problem = answer; // told if the line ends with it; a swap that is not possible is no reason to stop
      onGuidance({ trouble: answer });
      if (answer.answers === "swap") return;
    } else {
      this.problem = null;
      onGuidance(answer);
      if (answer.state === "done" || answer.state === "refused") return resolve(answer);
      if (answer.answers === "swap") return;
    }
    const wait = Math.max(0, INTERVAL - (performance.now() - (this.sent ?? 0)));
    this.timer = setTimeout(() => this.send(), wait);
  }

  /** Takes one picture and sends it. */
  async send() {
    const { video, canvas } = this;
    const scale = Math.min(1, WIDEST / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
    this.sent = performance.now();
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    if (this.socket?.readyState !== WebSocket.OPEN || !blob) return;
    const message = new Uint8Array(HEADER + blob.size);
    new DataView(message.buffer).setUint32(0, this.sequence++);
    message.set(this.nonce, 4);
    message.set(new Uint8Array(await blob.arrayBuffer()), HEADER);
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(message);
    clearTimeout(this.alarm);
    this.alarm = setTimeout(() => this.fail("lost"), PATIENCE);
  }

  /** Asks for another movement. */
  swap() {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send("swap");
  }

  /** Ends the session for a reason. @param {string} kind */
  fail(kind) {
    const problem = this.problem ? Object.assign(new Error(this.problem.sentence), this.problem) : new CameraProblem(kind);
    this.reject?.(problem);
  }

  hangUp() {
    clearTimeout(this.timer);
    clearTimeout(this.alarm);
    this.reject = undefined;
    this.socket?.close();
    this.socket = null;
  }

  /** Switches the camera off. */
  stop() {
    this.reject?.(new CameraProblem("stopped"));
    this.hangUp();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }
}

// A pretended camera: a software person (pictures of poses, drawn beforehand) sits before the page, reads what the page
// shows, and does it, as a person would: after a moment, smoothly, never twice quite alike. `window.sitter` says who sits.
(() => {
  const AMOUNTS = { turn_right: ["yaw", 28], turn_left: ["yaw", -28], look_down: ["pitch", 18], look_up: ["pitch", -18], tilt_right: ["roll", -22], tilt_left: ["roll", 22], close_eyes: ["blink", 1], open_mouth: ["mouth", 0.8], smile: ["smile", 1], raise_brows: ["brows", 1], come_closer: ["closer", 0.45] };
  const LAG = 250; // ms that the nose is behind the dot
  const rest = () => ({ yaw: 0, pitch: 0, roll: 0, blink: 0, mouth: 0, smile: 0, brows: 0, closer: 0 });
  const ease = (part) => ((part = Math.min(1, Math.max(0, part))), part ** 3 * (10 - 15 * part + 6 * part * part));
  const sitter = (window.sitter = { kind: "person", problem: "", frames: 0 });

  let poses = []; // {yaw, ..., picture: Blob}
  let from = rest(), to = rest(), start = 0, length = 400, shown = "";
  const dots = [];

  function between(now) {
    const part = ease((now - start) / length);
    return Object.fromEntries(Object.keys(from).map((name) => [name, from[name] + (to[name] - from[name]) * part]));
  }

  /** Where the dot was, between the places where it was shown. */
  function dotAt(time) {
    const next = dots.findIndex(([shown]) => shown > time);
    if (next < 1) return dots.at(next).slice(1);
    const [[t0, x0, y0], [t1, x1, y1]] = dots.slice(next - 1, next + 1), part = (time - t0) / (t1 - t0);
    return [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
  }

  function react(now) {
    const page = document.querySelector("[data-stage=session]")?.dataset ?? {};
    const seen = `${page.state} ${page.action}`;
    if (seen !== shown) {
      from = between(now);
      to = rest();
      shown = seen;
      dots.length = 0;
      if (page.action) to[AMOUNTS[page.action][0]] = AMOUNTS[page.action][1];
      start = now + 350 + 250 * Math.random();
      length = 400 + 200 * Math.random();
    }
    const act = between(now);
    if (page.dot) dots.push([now, ...page.dot.split(",").map(Number)]);
    if (page.state === "follow" && dots.length) {
      const [x, y] = dotAt(now - LAG);
      act.yaw += (18 * (x - 0.5)) / 0.38;
      act.pitch += (10 * (y - 0.5)) / 0.38;
    }
    return act;
  }

  const SCALES = { yaw: 1, pitch: 1, roll: 1, blink: 30, mouth: 30, smile: 30, brows: 30, closer: 60 };
  function nearest(act) {
    let best = poses[0], least = Infinity;
    for (const pose of poses) {
      let far = 0;
      for (const name in SCALES) far += ((pose[name] - act[name]) * SCALES[name]) ** 2;
      if (far < least) [best, least] = [pose, far];
    }
    return best;
  }

  function makeNoise() {
    const tile = new OffscreenCanvas(720, 560), pen = tile.getContext("2d"), grain = pen.createImageData(720, 560);
    for (let i = 0; i < grain.data.length; i += 4) {
      grain.data.fill(Math.random() < 0.5 ? 0 : 255, i, i + 3);
      grain.data[i + 3] = 6 * Math.random();
    }
    pen.putImageData(grain, 0, 0);
    return tile;
  }

  async function loadPoses() {
    const loaded = await (await fetch("/sitter.json")).json();
    for (const pose of loaded) pose.picture = new Blob([Uint8Array.from(atob(pose.jpeg), (letter) => letter.charCodeAt(0))], { type: "image/jpeg" });
    return loaded;
  }

  async function film() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    const pen = canvas.getContext("2d"), noise = makeNoise();
    if (!poses.length) poses = await loadPoses();
    const draw = async (act, now) => {
      const pose = nearest(act);
      const picture = await createImageBitmap(pose.picture);
      const sway = [2 * Math.sin(now / 530), 1.5 * Math.sin(now / 710)];
      const angle = sitter.kind === "photo" ? 0.06 * Math.sin(now / 600) : 0; // a print, waved in the hand
      pen.setTransform(1.02 * Math.cos(angle), Math.sin(angle), -Math.sin(angle), 1.02 * Math.cos(angle), 320 + sway[0], 240 + sway[1]);
      pen.drawImage(picture, -320, -240);
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.drawImage(noise, -80 * Math.random(), -80 * Math.random());
      picture.close();
      sitter.frames += 1;
    };
    const next = async () => {
      const now = performance.now();
      await draw(sitter.kind === "photo" ? rest() : react(now), now);
      sitter.timer = setTimeout(next, 80);
    };
    await next();
    return canvas.captureStream(15);
  }

  if (!navigator.mediaDevices) return; // not a secure page: there is nothing to replace
  navigator.mediaDevices.getUserMedia = async () => {
    if (sitter.problem) throw new DOMException("no camera", sitter.problem);
    clearTimeout(sitter.timer);
    return (sitter.stream = await film());
  };
})();

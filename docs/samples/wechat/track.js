/* 订单追踪组件（微信小程序）。用法：<track hub="https://hub.example" token="{{token}}" />
   在小程序后台把 hub 的域名加入 request 与 socket 合法域名。token 是买家链接 /t/<token>/ 的最后一段。 */
const SAFETY_MS = 30000;

Component({
  properties: {
    hub: { type: String, value: "" },
    token: { type: String, value: "" },
    lang: { type: String, value: "zh-hans" },
  },
  data: { page: null, markers: [], lines: [], failed: false },
  lifetimes: {
    attached() { this.seq = 0; this.etag = ""; this.tries = 0; this.refresh(); this.connect(); },
    detached() { this.ended = true; clearTimeout(this.timer); if (this.socket) this.socket.close({}); },
  },
  pageLifetimes: { show() { if (this.etag) this.refresh(); } },
  methods: {
    /* 坐标取 GCJ-02：小程序的 map 组件按国内地图坐标绘制。 */
    refresh() {
      clearTimeout(this.timer);
      const { hub, token, lang } = this.data;
      wx.request({
        url: `${hub}/api/v1/tracking/${encodeURIComponent(token)}/?lang=${lang}&datum=gcj02`,
        header: this.etag ? { "If-None-Match": this.etag } : {},
        success: ({ statusCode, data, header }) => {
          if (statusCode === 200) this.show(data, header.ETag || header.Etag || "");
          else if (statusCode !== 304) this.setData({ failed: true });
        },
        fail: () => this.setData({ failed: true }),
        complete: () => { if (!this.ended) this.timer = setTimeout(() => this.refresh(), SAFETY_MS * (this.open ? 10 : 1)); },
      });
    },
    show(page, etag) {
      this.etag = etag;
      this.seq = Math.max(this.seq, page.seq);
      const moving = page.parcels.filter((parcel) => parcel.position);
      this.setData({
        page, failed: false,
        markers: moving.map((parcel, id) => ({ id, latitude: parcel.position.lat, longitude: parcel.position.lng, title: parcel.position.text, width: 28, height: 28 })),
        lines: moving.filter((parcel) => parcel.track.length > 1).map((parcel) => ({ points: parcel.track.map(([latitude, longitude]) => ({ latitude, longitude })), color: "#3451d1", width: 4 })),
      });
    },
    connect() {
      const { hub, token } = this.data;
      this.socket = wx.connectSocket({ url: `${hub.replace(/^http/, "ws")}/ws/t/` });
      this.socket.onOpen(() => { this.open = true; this.tries = 0; this.socket.send({ data: JSON.stringify({ token, since: this.seq }) }); });
      this.socket.onMessage(({ data }) => {
        const said = JSON.parse(data);
        if (said.type === "advanced" && said.seq > this.seq) this.refresh();
      });
      this.socket.onClose(({ code }) => {
        this.open = false;
        if (this.ended || code === 4404) return;
        this.tries += 1;
        setTimeout(() => this.connect(), 500 + Math.random() * Math.min(30000, 1000 * 2 ** this.tries));
      });
    },
  },
});

package manage

import (
	"net/http"
	"time"

	"wikibot/webhooks"
)

// Webhook is a webhook as those who manage the wiki see it.
type Webhook struct {
	ID       string     `json:"id"`
	URL      string     `json:"url" example:"https://example.org/hook"`
	Name     string     `json:"name"`
	Prefix   string     `json:"prefix" doc:"Only changes of pages whose path begins so; empty: all."`
	Maker    string     `json:"maker" doc:"Who gave it its address; it sends as long as they manage the wiki."`
	Active   bool       `json:"active"`
	Standing string     `json:"standing" enum:"working,failing,resting,off"`
	Reason   string     `json:"reason,omitempty" doc:"Why it does not send."`
	Next     *time.Time `json:"next" doc:"When it is tried again; null: nothing is waiting." format:"date-time"`
	Last     *Delivery  `json:"last" doc:"The last try; null: nothing was sent yet."`
}

// Delivery is how one try to send ended. What the receiver said is not kept.
type Delivery struct {
	ID       string    `json:"id" doc:"The message's; the same for each try."`
	Type     string    `json:"type" enum:"wiki.change,wiki.reset,ping"`
	Revision string    `json:"revision,omitempty"`
	At       time.Time `json:"at" format:"date-time"`
	TookMS   float64   `json:"took_ms"`
	Status   int       `json:"status" doc:"The receiver's; 0: there was no answer."`
	Error    string    `json:"error,omitempty"`
	Try      int       `json:"try" doc:"1 is the first."`
	OK       bool      `json:"ok"`
}

type (
	newWebhook struct {
		URL    string `json:"url" doc:"Where to; https." need:"yes" example:"https://example.org/hook"`
		Name   string `json:"name"`
		Prefix string `json:"prefix" doc:"Only changes of pages whose path begins so."`
	}
	webhookChange struct {
		URL    *string `json:"url"`
		Name   *string `json:"name"`
		Prefix *string `json:"prefix"`
		Active *bool   `json:"active"`
	}
	webhookList struct {
		Webhooks []Webhook `json:"webhooks"`
		Total    int       `json:"total"`
	}
	oneWebhook struct {
		Webhook Webhook `json:"webhook"`
	}
	madeWebhook struct {
		Webhook Webhook `json:"webhook"`
		Secret  string  `json:"secret" doc:"With it the receiver checks the signatures (Standard Webhooks)."`
	}
	webhookSecret struct {
		Secret string `json:"secret"`
	}
	deliveryList struct {
		Deliveries []Delivery `json:"deliveries" doc:"Newest first, at most 20."`
		Total      int        `json:"total"`
	}
	oneDelivery struct {
		Delivery Delivery `json:"delivery"`
	}
	deletedWebhook struct {
		Deleted bool   `json:"deleted"`
		ID      string `json:"id"`
	}
)

// webhookRoutes are the calls about webhooks.
func webhookRoutes() []route {
	return []route{
		{"GET", "wikis/SLUG/webhooks", (*call).webhooks, 200, "The wiki's webhooks, and what they do now.", nil, webhookList{}},
		{"POST", "wikis/SLUG/webhooks", (*call).addWebhook, 201, "Have an address told of each commit from now on. The answer has the secret that signs the requests.", newWebhook{}, madeWebhook{}},
		{"GET", "wikis/SLUG/webhooks/LAST", (*call).webhook, 200, "One webhook.", nil, oneWebhook{}},
		{"PATCH", "wikis/SLUG/webhooks/LAST", (*call).changeWebhook, 200, "Change what is sent. Who gives it another address or turns it on is its maker from then on.", webhookChange{}, oneWebhook{}},
		{"DELETE", "wikis/SLUG/webhooks/LAST", (*call).dropWebhook, 200, "Take a webhook away.", nil, deletedWebhook{}},
		{"GET", "wikis/SLUG/webhooks/LAST/secret", (*call).webhookSecret, 200, "The secret that signs its requests.", nil, webhookSecret{}},
		{"POST", "wikis/SLUG/webhooks/LAST/rotate", (*call).rotateWebhook, 200, "Give it another secret. For a day requests are signed with the one before as well.", nil, webhookSecret{}},
		{"POST", "wikis/SLUG/webhooks/LAST/ping", (*call).pingWebhook, 200, "Send a message of the type ping now, and tell how it went.", nil, oneDelivery{}},
		{"GET", "wikis/SLUG/webhooks/LAST/deliveries", (*call).deliveries, 200, "How its last tries went.", nil, deliveryList{}},
	}
}

func webhookOf(h webhooks.Hook) Webhook {
	out := Webhook{ID: h.ID, URL: h.URL, Name: h.Name, Prefix: h.Prefix, Maker: string(h.Maker), Active: h.Active, Standing: string(h.Standing), Reason: h.Reason}
	if !h.Next.IsZero() {
		out.Next = &h.Next
	}
	if h.Last != nil {
		last := deliveryOf(*h.Last)
		out.Last = &last
	}
	return out
}

func deliveryOf(a webhooks.Answer) Delivery {
	return Delivery{
		ID: a.ID, Type: a.Type, Revision: string(a.Revision), At: a.At, TookMS: float64(a.Took.Microseconds()) / 1000,
		Status: a.Status, Error: a.Error, Try: a.Try, OK: a.OK(),
	}
}

func (q *call) webhooks() (int, any, error) {
	list, err := q.Webhooks.List(q.ctx, q.caller, q.slug)
	if err != nil {
		return 0, nil, err
	}
	out := make([]Webhook, len(list))
	for i, h := range list {
		out[i] = webhookOf(h)
	}
	return http.StatusOK, webhookList{out, len(out)}, nil
}

func (q *call) addWebhook() (int, any, error) {
	var b newWebhook
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	h, secret, err := q.Webhooks.Create(q.ctx, q.caller, q.slug, webhooks.New{URL: b.URL, Name: b.Name, Prefix: b.Prefix})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, madeWebhook{webhookOf(h), secret}, nil
}

func (q *call) webhook() (int, any, error) {
	h, err := q.Webhooks.Get(q.ctx, q.caller, q.slug, q.last)
	return http.StatusOK, oneWebhook{webhookOf(h)}, err
}

func (q *call) changeWebhook() (int, any, error) {
	var b webhookChange
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	h, err := q.Webhooks.Update(q.ctx, q.caller, q.slug, q.last, webhooks.Change{URL: b.URL, Name: b.Name, Prefix: b.Prefix, Active: b.Active})
	return http.StatusOK, oneWebhook{webhookOf(h)}, err
}

func (q *call) dropWebhook() (int, any, error) {
	return http.StatusOK, deletedWebhook{true, q.last}, q.Webhooks.Delete(q.ctx, q.caller, q.slug, q.last)
}

func (q *call) webhookSecret() (int, any, error) {
	secret, err := q.Webhooks.Secret(q.ctx, q.caller, q.slug, q.last)
	return http.StatusOK, webhookSecret{secret}, err
}

func (q *call) rotateWebhook() (int, any, error) {
	secret, err := q.Webhooks.Rotate(q.ctx, q.caller, q.slug, q.last)
	return http.StatusOK, webhookSecret{secret}, err
}

func (q *call) pingWebhook() (int, any, error) {
	a, err := q.Webhooks.Ping(q.ctx, q.caller, q.slug, q.last)
	return http.StatusOK, oneDelivery{deliveryOf(a)}, err
}

func (q *call) deliveries() (int, any, error) {
	list, err := q.Webhooks.Deliveries(q.ctx, q.caller, q.slug, q.last)
	if err != nil {
		return 0, nil, err
	}
	out := make([]Delivery, len(list))
	for i, a := range list {
		out[i] = deliveryOf(a)
	}
	return http.StatusOK, deliveryList{out, len(out)}, nil
}

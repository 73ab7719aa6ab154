//! The words of the tests: a county whose alerts leave by real servers, told in the operator's words.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fenliu::channel::gateway::{self, Body, Encoding, Gateway, Reading, Success};
use fenliu::channel::smpp::{Bind, Options as Centre, Smpp};
use fenliu::channel::smtp::{Options as MailServer, Security, Smtp};
use fenliu::channel::{Channel, Console, INBOX_MAX, guard};
use fenliu::clock::StillClock;
use fenliu::config::jurisdiction::Jurisdiction;
use fenliu::domain::{
    Actor, Directory, Event, InstanceId, Instant, JurisdictionId, Message, Person, Role, Roster,
};
use fenliu::gate::{AlertRules, Caller, Done, Error, Gate, MessageFilter, Parts, Request, Target};
use fenliu::http::Server;
use fenliu::scheduler::alarms::Alarms;
use fenliu::scheduler::clocks::Clocks;
use fenliu::scheduler::inbox::{Arrivals, Inbox};
use fenliu::scheduler::outbox::{Options as Sending, Outbox};
use fenliu::scheduler::{Duty, Next, Poll};
use fenliu::store::{Options, Store};
use fenliu::template::Templates;
use serde_json::{Map, Value as Json, json};

use super::mailbox::{Arrived, Mailbox, Way};
use crate::channel::peer::Peer;
use crate::channel::run;
use crate::channel::stub::Stub;

/// What differs from the county as it is shipped.
pub(super) struct Setting {
    /// When it begins.
    pub(super) at: &'static str,
    /// Whether SMS leave by an HTTP gateway instead of SMPP.
    pub(super) gateway: bool,
    /// How long the servers' answers are waited for; seconds.
    pub(super) patience: u64,
    pub(super) rules: AlertRules,
    /// Other workflows than the shipped ones.
    pub(super) workflows: Option<Vec<String>>,
    /// What is changed in the directory.
    pub(super) change: fn(&mut Directory, &mut Vec<Roster>),
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            at: "2018-07-02T09:10:00+08:00",
            gateway: false,
            patience: 10,
            rules: AlertRules { replies: true, ..AlertRules::default() },
            workflows: None,
            change: |_, _| {},
        }
    }
}

type Ways = Vec<(&'static str, Arc<dyn Channel>)>;

/// The loops of the house, turned by the test.
struct Loops {
    clocks: Clocks,
    alarms: Alarms,
    outboxes: Vec<Outbox>,
    inbox: Inbox,
}

impl Loops {
    fn new(duty: &Duty, channels: &Ways, arrivals: &Arrivals) -> Self {
        let inbox = Inbox::new(duty.clone(), "sms", Arc::clone(arrivals));
        let outbox = |(name, channel): &(&'static str, Arc<dyn Channel>)| {
            let outbox = Outbox::new(duty.clone(), name, Arc::clone(channel), Sending::default());
            outbox.guarded(guard::Options::default())
        };
        let outboxes = channels.iter().map(outbox).collect();
        let (clocks, alarms) = (Clocks::new(duty.clone()), Alarms::new(duty.clone()));
        Self { clocks, alarms, outboxes, inbox }
    }
}

/// A county whose alerts leave.
pub(super) struct County {
    pub(super) gate: Gate,
    pub(super) store: Store,
    pub(super) mail: Peer,
    pub(super) centre: Peer,
    pub(super) gateway: Option<Stub>,
    pub(super) box_of: Mailbox,
    clock: Arc<StillClock>,
    duty: Duty,
    jurisdiction: JurisdictionId,
    loops: Loops,
    channels: Ways,
    arrivals: Arrivals,
    rules: AlertRules,
    smpp: Option<Arc<Smpp>>,
    alarms_seen: Vec<i64>,
    client: reqwest::Client,
}

/// Plays a story in the county as it is shipped.
pub(super) fn play(story: impl AsyncFnOnce(&mut County)) {
    play_in(Setting::default(), story);
}

/// The same in another setting. What arrived and was not read, and alarms of which nobody spoke,
/// fail the test.
pub(super) fn play_in(setting: Setting, story: impl AsyncFnOnce(&mut County)) {
    run(async {
        let mut county = County::open(setting).await;
        story(&mut county).await;
        county.end().await;
    });
}

fn shipped(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap()
}

pub(super) fn shipped_workflows() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fenliu::app::workflow::yaml_files(&root.join("workflows")).unwrap();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Who is who and who is on duty when, as shipped.
pub(super) fn shipped_people() -> (Directory, Vec<Roster>) {
    let who = Jurisdiction::from_yaml(&shipped("config/jurisdictions/chengkou.yaml")).unwrap();
    (who.directory(JurisdictionId(0)), who.rosters())
}

pub(super) fn shipped_calendar() -> String {
    shipped("config/calendars/chongqing.yaml")
}

fn mail_server(port: u16, patience: u64) -> MailServer {
    MailServer {
        allow_clear_text: false,
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        user: String::new(),
        password: String::new(),
        from: "城口县分流平台 <alert@fenliu.example>".to_owned(),
        hello: "fenliu.example".to_owned(),
        roots: Vec::new(),
        time: Duration::from_secs(patience),
        idle: 4,
    }
}

fn sms_centre(port: u16, patience: u64) -> Centre {
    Centre {
        tls: false,
        roots: Vec::new(),
        allow_clear_text: false,
        host: "127.0.0.1".to_owned(),
        port,
        bind: Bind::Transceiver,
        system_id: "fenliu".to_owned(),
        password: "s3cret".to_owned(),
        system_type: String::new(),
        source: "10690000".to_owned(),
        source_kind: (0, 1),
        recipient_kind: (0, 0),
        window: 10,
        receipts: true,
        wide_reference: false,
        idle: Duration::from_secs(30),
        answer: Duration::from_secs(patience),
        pause: Duration::from_millis(20),
        again: Duration::from_millis(50),
        again_max: Duration::from_millis(100),
        time: Duration::from_secs(patience + 5),
    }
}

pub(super) fn http_gateway(port: u16, clock: &Arc<StillClock>) -> Gateway {
    let options = gateway::Options {
        url: format!("http://127.0.0.1:{port}/send"),
        method: "POST".to_owned(),
        headers: BTreeMap::new(),
        body_kind: Body::Json,
        body: r#"{"mobile": "{address}", "content": "{text}", "id": "{id}"}"#.to_owned(),
        key: String::new(),
        secret: String::new(),
        sign: String::new(),
        encoding: Encoding::Hex,
        success: Success {
            pointer: "/code".to_owned(),
            accepted: vec!["0".to_owned()],
            reference: "/sid".to_owned(),
            ..Success::default()
        },
        reading: Reading::default(),
        allow_clear_text: false,
        test_url: String::new(),
        roots: Vec::new(),
        time: Duration::from_secs(10),
    };
    let clock = Arc::clone(clock);
    let now = move || fenliu::clock::Clock::now(&*clock);
    Gateway::new(options, Arc::new(now)).unwrap()
}

fn door(store: &Store, clock: &Arc<StillClock>, rules: AlertRules) -> Gate {
    let entropy = |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    let (store, clock) = (store.clone(), Arc::<StillClock>::clone(clock));
    Gate::open(Parts { store, clock, entropy, batch_max: 64, alerts: rules }).unwrap()
}

impl County {
    async fn open(setting: Setting) -> Self {
        let clock = Arc::new(StillClock::new(Instant::parse(setting.at).unwrap()));
        let store = Store::open("sqlite::memory:", Options::default()).unwrap();
        store.migrate().unwrap();
        let gate = door(&store, &clock, setting.rules);
        let (mut people, mut rosters) = shipped_people();
        (setting.change)(&mut people, &mut rosters);
        let workflows = setting.workflows.unwrap_or_else(shipped_workflows);
        let founding = (&people, rosters.as_slice());
        let found = gate.found_with_rosters(founding, &shipped_calendar(), &workflows);
        let jurisdiction = found.unwrap();
        let server =
            Server::bind("127.0.0.1:0", gate.clone(), fenliu::http::Options::default()).unwrap();
        let address = format!("http://{}", server.local_addr());
        tokio::spawn(async move { server.run().await.unwrap() });
        gate.use_templates(Templates::shipped().unwrap(), &address).unwrap();

        let mail = Peer::start("smtp.mjs", &json!({})).await;
        let logins = json!({"systemId": "fenliu", "password": "s3cret"});
        let mut centre = Peer::start("smsc.mjs", &logins).await;
        let (sender, arrivals) = fenliu::channel::inbox(INBOX_MAX);
        let smtp = Arc::new(Smtp::new(mail_server(mail.port, setting.patience)).unwrap());
        let stub = if setting.gateway { Some(Stub::start(None).await) } else { None };
        let (sms, smpp): (Arc<dyn Channel>, _) = match &stub {
            Some(stub) => (Arc::new(http_gateway(stub.port, &clock)), None),
            None => {
                let wish = sms_centre(centre.port, setting.patience);
                let smpp = Arc::new(Smpp::start(wish, sender).unwrap());
                assert_eq!(centre.wait_for("bind").await["right"], true);
                (Arc::<Smpp>::clone(&smpp), Some(smpp))
            }
        };
        let duty = Duty::new(gate.clone());
        let channels: Ways = vec![("sms", sms), ("email", smtp), ("console", Arc::new(Console))];
        let loops = Loops::new(&duty, &channels, &arrivals);
        let mut box_of = Mailbox::default();
        box_of.know(&people);
        Self {
            gate,
            store,
            mail,
            centre,
            gateway: stub,
            box_of,
            clock,
            duty,
            jurisdiction,
            loops,
            channels,
            arrivals,
            rules: setting.rules,
            smpp,
            alarms_seen: Vec::new(),
            client: reqwest::Client::new(),
        }
    }

    // Who acts.

    pub(super) fn people(&self) -> Arc<Directory> {
        self.gate.registry().directory(self.jurisdiction).unwrap()
    }

    /// Somebody by name, or by a post that one person has: `guotu.leader`.
    #[track_caller]
    pub(super) fn person(&self, who: &str) -> Person {
        let people = self.people();
        let holds = |person: &&Person| {
            person.name == who
                || person.grants.iter().any(|one| format!("{}.{}", one.unit, one.role) == who)
        };
        let mut found = people.people.values().filter(holds);
        let person = found.next().unwrap_or_else(|| panic!("there is no {who}")).clone();
        assert!(found.next().is_none(), "several people are {who}");
        person
    }

    /// Somebody gets another role in the same units.
    pub(super) fn changes_role(&self, who: &str, role: Role) {
        let mut person = self.person(who);
        person.grants.iter_mut().for_each(|grant| grant.role = role);
        let writer = self.store.writer();
        writer.unwrap().transaction(|t| t.put_person(self.jurisdiction, &person)).unwrap();
        self.gate.reload().unwrap();
    }

    /// Somebody has proved an address.
    pub(super) fn proves(&self, who: &str, channel: &str) {
        let mut person = self.person(who);
        let address = person.address(channel).unwrap().to_owned();
        let proof = fenliu::domain::person::Verified { address, at: self.now() };
        person.verified.insert(channel.to_owned(), proof);
        self.store
            .writer()
            .unwrap()
            .transaction(|t| t.put_person(self.jurisdiction, &person))
            .unwrap();
        self.gate.reload().unwrap();
    }

    pub(super) fn caller(&self, who: &str) -> Caller {
        let Person { id, grants, .. } = self.person(who);
        Caller { actor: Actor::person(id, grants), jurisdiction: self.jurisdiction }
    }

    /// A command, and whatever follows from it at once.
    pub(super) async fn tries(
        &mut self,
        who: &str,
        target: Target,
        command: &str,
        input: Json,
    ) -> Result<Done, Error> {
        let input: Map<String, Json> = serde_json::from_value(input).unwrap();
        let request = Request {
            caller: self.caller(who),
            target,
            command: command.to_owned(),
            input,
            occurred_at: None,
            key: None,
            if_version: None,
            about: None,
        };
        let done = self.gate.submit(request).await;
        self.settle().await;
        done
    }

    /// Somebody opens a matter of a workflow.
    pub(super) async fn opens(&mut self, who: &str, how: (&str, &str), input: Json) -> InstanceId {
        let (workflow, command) = how;
        let done = self.tries(who, Target::New(workflow.to_owned()), command, input).await;
        done.unwrap().receipt.instance
    }

    /// Somebody gives a command.
    pub(super) async fn does(&mut self, who: &str, id: InstanceId, command: &str, input: Json) {
        let done = self.tries(who, Target::Instance(id), command, input).await;
        done.unwrap_or_else(|error| panic!("{who} {command}: {error}"));
    }

    // Time.

    pub(super) fn now(&self) -> Instant {
        self.gate.now()
    }

    /// Time goes on by so many minutes; whatever falls due is done at its instant.
    pub(super) async fn fast_forward(&mut self, minutes: i64) {
        self.until(self.now().plus(minutes * 60_000)).await;
    }

    /// Time goes on to an instant.
    pub(super) async fn until(&mut self, target: Instant) {
        loop {
            match self.settle().await {
                Some(at) if at <= target => self.clock.set(at.max(self.now().plus(1))),
                _ => break,
            }
        }
        self.clock.set(target);
        self.settle().await;
    }

    /// The service is down until an instant: nothing is done meanwhile, then everything at once.
    pub(super) async fn down_until(&mut self, target: Instant) {
        self.clock.set(target);
        self.settle().await;
    }

    /// The service is started again: nothing of its memory is left.
    pub(super) fn restarts(&mut self) {
        let address = self.gate.public_url();
        self.gate = door(&self.store, &self.clock, self.rules);
        self.gate.use_templates(Templates::shipped().unwrap(), &address).unwrap();
        self.duty = Duty::new(self.gate.clone());
        self.loops = Loops::new(&self.duty, &self.channels, &self.arrivals);
    }

    /// Does everything that is due now; answers when there is more to do.
    pub(super) async fn settle(&mut self) -> Option<Instant> {
        let now = self.now();
        let mut quiet = 0;
        for _ in 0..10_000 {
            let mut next: Option<Instant> = None;
            let mut busy = false;
            let mut wait = Duration::ZERO;
            let Loops { clocks, alarms, outboxes, .. } = &mut self.loops;
            let others: [&mut dyn Poll; 2] = [clocks, alarms];
            let outboxes = outboxes.iter_mut().map(|one| -> &mut dyn Poll { one });
            for work in others.into_iter().chain(outboxes) {
                match work.poll().await {
                    Next::At(at) if at > now => next = Some(next.map_or(at, |next| next.min(at))),
                    Next::In(time) if time >= Duration::from_secs(1) => {}
                    Next::In(_) => (busy, wait) = (true, Duration::from_millis(5)),
                    Next::Now | Next::At(_) => busy = true,
                }
            }
            tokio::time::sleep(wait).await;
            quiet = if busy { 0 } else { quiet + 1 };
            // One look more: the last loop may have given the first one something to do.
            if quiet == 2 {
                self.collect().await;
                return next;
            }
        }
        panic!("the loops spin");
    }

    /// What has arrived since the last time is put into people's boxes.
    async fn collect(&mut self) {
        let now = self.now();
        let mut seen = self.mail.tell(&json!({"step": "look"})).await;
        seen.extend(self.centre.tell(&json!({"deed": "look"})).await);
        for event in &seen {
            self.box_of.take(event, now);
        }
        let asked = self.gateway.as_ref().map(Stub::asked).unwrap_or_default();
        for one in asked {
            self.box_of.posted(&one.body, now);
        }
    }

    // What arrives.

    /// The next SMS to somebody says this.
    #[track_caller]
    pub(super) fn expect_sms(&mut self, who: &str, text: &str) -> Arrived {
        let name = self.person(who).name;
        self.box_of.expect(Way::Sms, &name, text)
    }

    /// The next mail to somebody says this.
    #[track_caller]
    pub(super) fn expect_email(&mut self, who: &str, text: &str) -> Arrived {
        let name = self.person(who).name;
        self.box_of.expect(Way::Email, &name, text)
    }

    /// Nothing came that was not spoken of.
    #[track_caller]
    pub(super) fn expect_nothing(&self) {
        let unread = self.box_of.unread();
        assert!(unread.is_empty(), "unexpected: {unread:#?}");
    }

    /// Whatever came is taken note of at once.
    pub(super) fn read_everything(&mut self) {
        self.box_of.all.iter_mut().for_each(|one| one.read = true);
    }

    /// What came and was not read: when, by what, the sentence, to whom; read then.
    pub(super) fn told(&mut self) -> BTreeMap<(Instant, Way, String), Vec<String>> {
        let mut told: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for one in self.box_of.all.iter_mut().filter(|one| !one.read) {
            one.read = true;
            let key = (one.at, one.way, one.sentence().to_owned());
            told.entry(key).or_default().push(one.who.clone());
        }
        told.values_mut().for_each(|people| people.sort());
        told
    }

    /// The same, a line each: `09:25 sms 国土房管局联络员: …`.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let mut lines = Vec::new();
        for ((at, way, sentence), people) in self.told() {
            let at = at.timestamp().to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
            let at = at.strip_suffix(":00").unwrap_or(&at).to_owned();
            let line = |who: &String| format!("{at} {} {who}: {sentence}", way.name());
            lines.extend(people.iter().map(line));
        }
        lines
    }

    /// Somebody answers by SMS.
    pub(super) async fn replies(&mut self, who: &str, text: &str) {
        let phone = super::mailbox::digits(self.person(who).phone.as_deref().unwrap());
        let before = self.duty.figures.replies.get();
        self.delivers(&phone, text).await;
        while self.duty.figures.replies.get() == before {
            self.loops.inbox.poll().await;
        }
        self.settle().await;
    }

    /// The centre hands over an SMS that came from a number.
    pub(super) async fn delivers(&mut self, phone: &str, text: &str) {
        let hex: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
        let deed = json!({"deed": "deliver", "from": phone, "hex": hex, "coding": 8});
        self.tell_centre(deed).await;
        self.loops.inbox.poll().await;
    }

    /// The centre says what became of an SMS, part by part.
    pub(super) async fn receipt(&mut self, sms: &Arrived, stat: &str) {
        for id in &sms.ids {
            let text = format!("id:{id} sub:001 dlvrd:001 stat:{stat} err:000 text:");
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let deed = json!({"deed": "deliver", "from": "10690000", "hex": hex, "coding": 0,
                "esm_class": 4});
            self.tell_centre(deed).await;
        }
        let told = |figures: &fenliu::scheduler::Figures| {
            figures.messages_delivered.get() + figures.messages_bounced.get()
        };
        let before = told(&self.duty.figures);
        while told(&self.duty.figures) == before {
            self.loops.inbox.poll().await;
        }
        self.settle().await;
    }

    /// Somebody, or a program, asks for the page of a link.
    pub(super) async fn looks_at(&self, arrived: &Arrived, method: reqwest::Method) -> String {
        let answer = self.client.request(method, arrived.link()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// Somebody presses a button of the page.
    pub(super) async fn presses(&mut self, arrived: &Arrived, act: &str) -> u16 {
        let form = format!("act={act}");
        let request = self.client.post(arrived.link()).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let status = request.send().await.unwrap().status().as_u16();
        self.settle().await;
        status
    }

    // What goes wrong.

    /// The mail server does this at a step of the next conversations.
    pub(super) async fn tell_mail(&mut self, what: Json) {
        let now = self.now();
        for event in self.mail.tell(&what).await {
            self.box_of.take(&event, now);
        }
    }

    /// The SMS centre does this.
    pub(super) async fn tell_centre(&mut self, what: Json) {
        let now = self.now();
        for event in self.centre.tell(&what).await {
            self.box_of.take(&event, now);
        }
    }

    /// The mail server takes nothing for a while: nobody listens.
    pub(super) async fn mail_is_down(&mut self) {
        self.tell_mail(json!({"step": "down"})).await;
    }

    pub(super) async fn mail_is_back(&mut self) {
        self.tell_mail(json!({"step": "up"})).await;
    }

    pub(super) async fn centre_is_down(&mut self) {
        self.tell_centre(json!({"deed": "down"})).await;
        self.session(false).await;
    }

    pub(super) async fn centre_is_back(&mut self) {
        self.tell_centre(json!({"deed": "up"})).await;
        self.session(true).await;
    }

    /// The session has noticed how the centre stands.
    pub(super) async fn session(&self, there: bool) {
        let smpp = self.smpp.as_ref().expect("SMS leave by the gateway");
        let noticed = async {
            while (smpp.test().await == fenliu::channel::Outcome::ACCEPTED) != there {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), noticed).await.expect("nothing is noticed");
    }

    // What is known.

    pub(super) fn events(&self, id: InstanceId) -> Vec<Event> {
        let events = self.store.read(|reader| reader.events(id, 1, 10_000)).unwrap();
        events.iter().map(|event| serde_json::from_str(&event.body).unwrap()).collect()
    }

    /// All messages, the oldest first.
    pub(super) fn messages(&self) -> Vec<Message> {
        let all = self.store.read(|reader| reader.messages(&MessageFilter::default(), 100_000));
        let mut all = all.unwrap();
        all.reverse();
        all
    }

    /// An operator alarm of this kind stands whose detail says this.
    #[track_caller]
    pub(super) fn expect_alarm(&mut self, kind: &str, detail: &str) {
        let alarms = self.store.read(|reader| reader.alarms(true, 1000)).unwrap();
        let fits = |alarm: &&fenliu::gate::Alarm| {
            alarm.raised.kind == kind && alarm.raised.detail.contains(detail)
        };
        let fresh = alarms.iter().filter(|alarm| !self.alarms_seen.contains(&alarm.id));
        let found = fresh.clone().find(fits).map(|alarm| alarm.id);
        let found = found.unwrap_or_else(|| panic!("no {kind} with `{detail}`: {alarms:#?}"));
        self.alarms_seen.push(found);
    }

    async fn end(mut self) {
        self.settle().await;
        self.expect_nothing();
        let alarms = self.store.read(|reader| reader.alarms(true, 1000)).unwrap();
        let unseen = |alarm: &&fenliu::gate::Alarm| !self.alarms_seen.contains(&alarm.id);
        let unseen: Vec<_> = alarms.iter().filter(unseen).collect();
        assert!(unseen.is_empty(), "alarms of which nobody spoke: {unseen:#?}");
    }
}

//! The table: every path, its methods, what each demands, and who answers.

use super::Demand::{Anyone, May, Nobody};
use super::{Place, at};
use crate::http::{
    account, alarm, audit, catalogue, change, channel, contact, definition, directory, document,
    doubles, due, history, instance, intake, link, login, message, metrics, mute, page, person,
    post, proposal, provider, recount, rehearsal, returns, reveal, roster, spoken, spot,
    subscription, suggest, teaching, template, token,
};
use crate::policy::Act::{
    AnswerMessage, Approve, Command, CorrectCaller, EndSubscriptions, EraseCaller, IssueTokens,
    KeepAccounts, KeepAnswers, KeepContacts, Open, Operate, PreviewTexts, Publish, ReadDirectory,
    ReadHandovers, RevealCaller, SeeMatter, SeeMessages, SeeOperation, Subscribe, TakeDuty,
    TeachRouting, WriteCalendar, WriteDirectory, WriteRosters,
};

/// The table. What is asked most often stands first: paths are tried in this order.
pub(super) fn table() -> Vec<Place> {
    let mut table = vec![
        at("/api/v1/referrals/{id}/commands").post(May(Command), instance::command),
        at("/api/v1/instances/{id}/commands").post(May(Command), instance::command),
        at("/api/v1/referrals")
            .get(May(SeeMatter), instance::referrals)
            .post(May(Open), instance::register),
        at("/api/v1/instances").get(May(SeeMatter), instance::list).post(May(Open), instance::open),
    ];
    table.extend(matters());
    table.extend(administration());
    table.extend(catalogue());
    table.extend(reaching());
    table.extend(duty());
    table.extend(signing());
    table.extend(outside());
    table
}

/// Paths below an instance, under both its faces, and lists.
fn matters() -> Vec<Place> {
    vec![
        at("/api/v1/referrals/{id}").get(May(SeeMatter), instance::show),
        at("/api/v1/instances/{id}").get(May(SeeMatter), instance::show),
        at("/api/v1/referrals/{id}/events").get(May(SeeMatter), history::events),
        at("/api/v1/instances/{id}/events").get(May(SeeMatter), history::events),
        at("/api/v1/referrals/{id}/clocks").get(May(SeeMatter), history::clocks),
        at("/api/v1/instances/{id}/clocks").get(May(SeeMatter), history::clocks),
        at("/api/v1/referrals/{id}/clocks/{name}").get(May(SeeMatter), history::clock),
        at("/api/v1/instances/{id}/clocks/{name}").get(May(SeeMatter), history::clock),
        at("/api/v1/referrals/{id}/calls").get(May(SeeMatter), spoken::calls),
        at("/api/v1/instances/{id}/calls").get(May(SeeMatter), spoken::calls),
        at("/api/v1/referrals/{id}/reveal").post(May(RevealCaller), reveal::reveal),
        at("/api/v1/referrals/{id}/correct").post(May(CorrectCaller), reveal::correct),
        at("/api/v1/referrals/{id}/erase").post(May(EraseCaller), reveal::erase),
        at("/api/v1/referrals/{id}/children").get(May(SeeMatter), instance::children),
        at("/api/v1/instances/{id}/reveal").post(May(RevealCaller), reveal::reveal),
        at("/api/v1/instances/{id}/correct").post(May(CorrectCaller), reveal::correct),
        at("/api/v1/instances/{id}/erase").post(May(EraseCaller), reveal::erase),
        at("/api/v1/callers/export").post(May(RevealCaller), reveal::export).heavy(),
        at("/api/v1/instances/{id}/children").get(May(SeeMatter), instance::children),
        at("/api/v1/referrals/{id}/repeats").get(May(SeeMatter), doubles::doubles),
        at("/api/v1/referrals/{id}/messages").get(May(SeeMatter), message::messages_of),
        at("/api/v1/instances/{id}/messages").get(May(SeeMatter), message::messages_of),
        at("/api/v1/intake/batches").post(May(Open), intake::take),
        at("/api/v1/intake/{source}/{number}").get(May(SeeMatter), intake::find),
        at("/api/v1/counts").get(May(SeeMatter), instance::counts).heavy(),
        at("/api/v1/messages").get(May(SeeMessages), message::messages),
        at("/api/v1/messages/{id}").get(May(SeeMessages), message::show),
        at("/api/v1/messages/{id}/acknowledge").post(May(AnswerMessage), message::acknowledge),
        at("/api/v1/messages/{id}/resend").post(May(Operate), message::resend),
        at("/api/v1/subscriptions")
            .get(May(EndSubscriptions), subscription::list)
            .post(May(Subscribe), subscription::make),
        at("/api/v1/subscriptions/{id}")
            .put(May(EndSubscriptions), subscription::switch)
            .delete(May(EndSubscriptions), subscription::end),
        at("/api/v1/changes").unheaded().get(May(SeeMatter), change::follow),
    ]
}

fn administration() -> Vec<Place> {
    vec![
        at("/api/v1/me").get(Anyone, directory::me),
        at("/api/v1/people/{id}/account")
            .get(May(KeepAccounts), account::show)
            .put(May(KeepAccounts), account::give)
            .delete(May(KeepAccounts), account::take),
        at("/api/v1/people/{id}/account/reset").post(May(KeepAccounts), account::reset),
        at("/api/v1/units").get(May(ReadDirectory), directory::units),
        at("/api/v1/units/{code}")
            .get(May(ReadDirectory), directory::unit)
            .put(May(WriteDirectory), directory::put_unit),
        at("/api/v1/people")
            .get(May(ReadDirectory), person::people)
            .post(May(WriteDirectory), person::add_person),
        at("/api/v1/people/{id}")
            .get(May(ReadDirectory), person::person)
            .put(May(WriteDirectory), person::put_person),
        at("/api/v1/categories").get(May(ReadDirectory), directory::categories),
        at("/api/v1/categories/{code}")
            .get(May(ReadDirectory), directory::category)
            .put(May(WriteDirectory), directory::put_category),
        at("/api/v1/answers").get(May(ReadDirectory), spot::list),
        at("/api/v1/answers/{code}")
            .get(May(ReadDirectory), spot::history)
            .put(May(KeepAnswers), spot::put)
            .delete(May(KeepAnswers), spot::end),
        at("/api/v1/definitions")
            .get(May(ReadDirectory), definition::list)
            .post(May(Publish), definition::publish)
            .heavy(),
        at("/api/v1/definitions/check").post(May(ReadDirectory), definition::check).heavy(),
        at("/api/v1/definitions/{workflow}").get(May(ReadDirectory), definition::show),
        at("/api/v1/definitions/{workflow}/versions/{number}")
            .get(May(ReadDirectory), definition::version),
        at("/api/v1/definitions/{workflow}/diagram").get(May(ReadDirectory), definition::drawing),
        at("/api/v1/workflow-schema").get(May(ReadDirectory), definition::schema),
        at("/api/v1/calendars")
            .get(May(ReadDirectory), due::calendars)
            .post(May(WriteCalendar), due::load),
        at("/api/v1/calendars/due").get(May(ReadDirectory), due::due),
        at("/api/v1/calendars/recount").get(May(SeeOperation), recount::show),
        at("/api/v1/calendars/recount/moved").get(May(SeeOperation), recount::moved).heavy(),
        at("/api/v1/calendars/{version}").get(May(ReadDirectory), due::calendar),
        at("/api/v1/quarters/{name}").get(May(SeeMatter), due::quarter).heavy(),
        at("/api/v1/tokens")
            .get(May(IssueTokens), token::list)
            .post(May(IssueTokens), token::issue),
        at("/api/v1/tokens/{id}").delete(May(IssueTokens), token::revoke),
        at("/api/v1/proposals").get(May(Approve), proposal::list),
        at("/api/v1/proposals/{id}").get(May(Approve), proposal::show),
        at("/api/v1/proposals/{id}/approve").post(May(Approve), proposal::approve),
        at("/api/v1/proposals/{id}/withdraw").post(May(Approve), proposal::withdraw),
        at("/api/v1/audit").get(May(SeeOperation), audit::log).heavy(),
        at("/api/v1/checkpoints").get(May(SeeOperation), audit::checkpoints),
        at("/api/v1/alarms").get(May(SeeOperation), alarm::list),
        at("/api/v1/alarms/clear").post(May(Operate), alarm::clear_kind),
        at("/api/v1/alarms/{id}/clear").post(May(Operate), alarm::clear),
    ]
}

/// The catalogue of categories, version by version.
fn catalogue() -> Vec<Place> {
    vec![
        at("/api/v1/catalogue/versions")
            .get(May(ReadDirectory), catalogue::versions)
            .post(May(WriteDirectory), catalogue::draft),
        at("/api/v1/catalogue/versions/{number}")
            .get(May(ReadDirectory), catalogue::version)
            .delete(May(WriteDirectory), catalogue::withdraw),
        at("/api/v1/catalogue/versions/{number}/differences")
            .get(May(ReadDirectory), catalogue::differences)
            .heavy(),
        at("/api/v1/catalogue/versions/{number}/publish")
            .post(May(TeachRouting), catalogue::publish),
        at("/api/v1/catalogue/export").get(May(ReadDirectory), catalogue::export).heavy(),
    ]
}

/// How people are reached.
fn reaching() -> Vec<Place> {
    vec![
        at("/api/v1/people/{id}/contacts").get(May(ReadDirectory), contact::contacts),
        at("/api/v1/people/{id}/contacts/{channel}/code")
            .post(May(KeepContacts), contact::send_code),
        at("/api/v1/people/{id}/contacts/{channel}/verify")
            .post(May(KeepContacts), contact::verify),
        at("/api/v1/people/{id}/test").post(May(KeepContacts), contact::trial),
        at("/api/v1/people/{id}/rules")
            .get(May(KeepContacts), contact::rules)
            .put(May(KeepContacts), contact::put_rules),
        at("/api/v1/people/{id}/mutes")
            .get(May(KeepContacts), mute::list)
            .post(May(KeepContacts), mute::make),
        at("/api/v1/mutes/{id}").delete(May(KeepContacts), mute::end),
        at("/api/v1/people/{id}/messages").get(May(SeeMessages), message::of_person),
        at("/api/v1/channels").get(May(SeeOperation), channel::list),
        at("/api/v1/alerts/rehearsal").get(May(SeeOperation), rehearsal::show).heavy(),
        at("/api/v1/routing/suggest").post(May(ReadDirectory), suggest::suggest),
        at("/api/v1/routing/precedents").get(May(SeeMatter), teaching::precedents),
        at("/api/v1/routing/precedents/{id}/withdraw").post(May(TeachRouting), teaching::withdraw),
        at("/api/v1/routing/proposals").get(May(SeeMatter), teaching::proposals).heavy(),
        at("/api/v1/routing/proposals/{id}").post(May(TeachRouting), teaching::decide),
        at("/api/v1/routing/proposals/{id}/moved").get(May(SeeMatter), teaching::moved).heavy(),
        at("/api/v1/routing/returns").get(May(SeeMatter), returns::returns).heavy(),
        at("/api/v1/routing/clauses").get(May(ReadDirectory), returns::clauses).heavy(),
        at("/api/v1/templates/preview").post(May(PreviewTexts), template::preview),
    ]
}

/// Who is on duty when.
fn duty() -> Vec<Place> {
    use roster::{duty, handover, stand_in, transfer};
    vec![
        at("/api/v1/rosters").get(May(ReadDirectory), roster::list),
        at("/api/v1/rosters/{code}")
            .get(May(ReadDirectory), roster::show)
            .put(May(WriteRosters), roster::put)
            .delete(May(WriteRosters), roster::delete),
        at("/api/v1/rosters/{code}/shifts").get(May(ReadDirectory), duty::shifts),
        at("/api/v1/rosters/{code}/on-duty").get(May(ReadDirectory), duty::on_duty),
        at("/api/v1/rosters/{code}/gaps").get(May(ReadDirectory), duty::gaps).heavy(),
        at("/api/v1/rosters/{code}/stand-ins")
            .get(May(ReadDirectory), stand_in::list)
            .post(May(WriteRosters), stand_in::add),
        at("/api/v1/rosters/{code}/stand-ins/{id}").delete(May(WriteRosters), stand_in::remove),
        at("/api/v1/rosters/{code}/swaps").post(May(TakeDuty), stand_in::propose),
        at("/api/v1/rosters/{code}/swaps/{id}/agree").post(May(TakeDuty), stand_in::agree),
        at("/api/v1/rosters/{code}/swaps/{id}/decline").post(May(TakeDuty), stand_in::decline),
        at("/api/v1/rosters/{code}/handovers")
            .get(May(ReadHandovers), handover::list)
            .post(May(TakeDuty), handover::write),
        at("/api/v1/rosters/{code}/handovers/{id}/read").post(May(TakeDuty), handover::read),
        at("/api/v1/rosters/{code}/export").get(May(ReadDirectory), transfer::export).heavy(),
        at("/api/v1/rosters/{code}/import").post(May(WriteRosters), transfer::import),
        at("/api/v1/people/{id}/duties").get(May(ReadDirectory), transfer::duties),
    ]
}

/// Signing in and out, and one's own account.
fn signing() -> Vec<Place> {
    vec![
        at("/api/v1/login").post(Nobody, login::login),
        at("/api/v1/login/provider").get(Nobody, provider::leave),
        at("/api/v1/login/provider/return").get(Nobody, provider::back),
        at("/api/v1/logout").post(Anyone, login::logout),
        at("/api/v1/account-setup").post(Nobody, login::set_up),
        at("/api/v1/me/session").get(Anyone, login::session),
        at("/api/v1/me/sessions").get(Anyone, login::sessions),
        at("/api/v1/me/password").post(Anyone, login::password),
        at("/api/v1/me/second-factor").post(Anyone, login::enrol),
        at("/api/v1/me/second-factor/confirm").post(Anyone, login::confirm),
    ]
}

fn outside() -> Vec<Place> {
    vec![
        at("/").get(Nobody, page::front),
        at("/a/{token}").get(Nobody, link::look).post(Nobody, link::press),
        at("/in/{channel}").post(Nobody, post::take),
        at("/health").get(Nobody, page::health).everywhere(),
        at("/ready").get(Nobody, page::ready).everywhere(),
        at("/metrics").get(May(SeeOperation), metrics::show).of_management(),
        at("/api/openapi.json").get(Nobody, document::openapi),
        at("/api/docs").get(Nobody, document::docs),
        at("/api/docs/{file:.*}").get(Nobody, document::file),
    ]
}

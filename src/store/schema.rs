//! The tables as diesel sees them: one description for both back ends, in the order of the columns
//! in `migrations/`. A test compares it with what the migrations make.

diesel::table! {
    id_block (name) {
        name -> Text,
        next -> BigInt,
    }
}

diesel::table! {
    setting (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    jurisdiction (id) {
        id -> BigInt,
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        zone -> Text,
        calendar -> Text,
        bodies -> Text,
        revision -> BigInt,
        access_revision -> BigInt,
    }
}

diesel::table! {
    unit (jurisdiction_id, code) {
        jurisdiction_id -> BigInt,
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        kind -> Text,
        parent -> Nullable<Text>,
        active -> Bool,
        successor -> Nullable<Text>,
    }
}

diesel::table! {
    person (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        grants -> Text,
        active -> Bool,
        rules -> Text,
        verified -> Text,
    }
}

diesel::table! {
    category (jurisdiction_id, code) {
        jurisdiction_id -> BigInt,
        code -> Text,
        body -> Text,
    }
}

diesel::table! {
    catalogue (jurisdiction_id, number) {
        jurisdiction_id -> BigInt,
        number -> BigInt,
        body -> Text,
        note -> Text,
        made_by -> Text,
        made_at -> BigInt,
        published_by -> Nullable<Text>,
        published_at -> Nullable<BigInt>,
        effective_at -> Nullable<BigInt>,
        withdrawn_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    calendar (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        code -> Text,
        version -> Text,
        source -> Text,
        loaded_at -> BigInt,
    }
}

diesel::table! {
    definition (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        workflow -> Text,
        number -> BigInt,
        source -> Text,
        hash -> Binary,
        published_at -> BigInt,
        published_by -> Text,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    token (id) {
        id -> BigInt,
        hash -> Binary,
        person_id -> BigInt,
        jurisdiction_id -> BigInt,
        label -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        scope -> Text,
    }
}

diesel::table! {
    instance (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        family_id -> BigInt,
        parent_id -> Nullable<BigInt>,
        workflow -> Text,
        definition_id -> BigInt,
        state -> Text,
        status -> Text,
        stage -> Text,
        holder -> Nullable<Text>,
        tier -> BigInt,
        version -> BigInt,
        data -> Text,
        head -> Binary,
        opened_at -> BigInt,
        updated_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        due_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    event (position) {
        position -> BigInt,
        instance_id -> BigInt,
        seq -> BigInt,
        jurisdiction_id -> BigInt,
        at -> BigInt,
        kind -> Text,
        actor -> Text,
        body -> Text,
        hash -> Binary,
    }
}

diesel::table! {
    clock (instance_id, name) {
        instance_id -> BigInt,
        name -> Text,
        jurisdiction_id -> BigInt,
        wake_at -> BigInt,
        due_at -> BigInt,
        tier -> BigInt,
        entry -> BigInt,
        step -> BigInt,
        lease_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    message (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        instance_id -> Nullable<BigInt>,
        seq -> BigInt,
        person_id -> Nullable<BigInt>,
        channel -> Text,
        tier -> BigInt,
        subject -> Text,
        body -> Text,
        created_at -> BigInt,
        due_at -> BigInt,
        attempts -> BigInt,
        state -> Text,
        sent_at -> Nullable<BigInt>,
        error -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
        subscription_id -> Nullable<BigInt>,
        kind -> Text,
        urgent -> BigInt,
        clock -> Nullable<Text>,
        entry -> Nullable<BigInt>,
        offer -> Nullable<Text>,
        deadline_at -> BigInt,
        unknowns -> BigInt,
        reference -> Nullable<Text>,
        delivered_at -> Nullable<BigInt>,
        acknowledged_at -> Nullable<BigInt>,
        instead_of -> Nullable<BigInt>,
        bundle -> Nullable<BigInt>,
    }
}

diesel::table! {
    answer (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        actor -> Text,
        key -> Text,
        request_hash -> Binary,
        instance_id -> Nullable<BigInt>,
        seq -> Nullable<BigInt>,
        body -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    personal (instance_id, field) {
        instance_id -> BigInt,
        field -> Text,
        jurisdiction_id -> BigInt,
        value -> Text,
    }
}

diesel::table! {
    call_trace (instance_id, seq) {
        instance_id -> BigInt,
        seq -> BigInt,
        jurisdiction_id -> BigInt,
        at -> BigInt,
        place -> Text,
        phone -> Nullable<Text>,
        traits -> Text,
    }
}

diesel::table! {
    precedent (instance_id) {
        instance_id -> BigInt,
        jurisdiction_id -> BigInt,
        at -> BigInt,
        made_by -> Text,
        unit -> Text,
        category -> Text,
        reason -> Text,
        traits -> Text,
        withdrawn_at -> Nullable<BigInt>,
        decision -> Nullable<Text>,
        agreed_by -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<BigInt>,
        note -> Text,
        territory -> Nullable<Text>,
        valid_from -> Nullable<BigInt>,
        valid_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    party (instance_id, unit) {
        instance_id -> BigInt,
        unit -> Text,
        jurisdiction_id -> BigInt,
        from_seq -> BigInt,
        to_seq -> Nullable<BigInt>,
    }
}

diesel::table! {
    occurrence (job, due_at) {
        job -> Text,
        due_at -> BigInt,
        taken_at -> BigInt,
    }
}

diesel::table! {
    alarm (id) {
        id -> BigInt,
        jurisdiction_id -> Nullable<BigInt>,
        at -> BigInt,
        kind -> Text,
        instance_id -> Nullable<BigInt>,
        detail -> Text,
        cleared_at -> Nullable<BigInt>,
        times -> BigInt,
        told_at -> Nullable<BigInt>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(instance, party);
diesel::allow_tables_to_appear_in_same_query!(message, party);
diesel::allow_tables_to_appear_in_same_query!(instance, personal);

diesel::table! {
    verification (person_id, channel) {
        person_id -> BigInt,
        channel -> Text,
        jurisdiction_id -> BigInt,
        address -> Text,
        code_hash -> Binary,
        sent_at -> BigInt,
        until_at -> BigInt,
        tries_left -> BigInt,
    }
}

diesel::table! {
    mute (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        person_id -> BigInt,
        from_at -> BigInt,
        until_at -> BigInt,
        reason -> Text,
        made_by -> Text,
        ended_at -> Nullable<BigInt>,
        reminded_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    roster (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        code -> Text,
        body -> Text,
    }
}

diesel::table! {
    stand_in (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        roster -> Text,
        from_at -> BigInt,
        until_at -> BigInt,
        person_id -> Nullable<BigInt>,
        instead_of -> Nullable<BigInt>,
        swap -> Nullable<BigInt>,
        agreed_at -> Nullable<BigInt>,
        note -> Text,
        made_by -> Text,
        made_at -> BigInt,
    }
}

diesel::table! {
    handover (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        roster -> Text,
        at -> BigInt,
        person_id -> BigInt,
        note -> Text,
        read_at -> Nullable<BigInt>,
        read_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    subscription (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        unit -> Text,
        kind -> Text,
        url -> Text,
        secret -> Text,
        wants -> Text,
        active -> Bool,
        made_by -> Text,
        made_at -> BigInt,
    }
}

diesel::table! {
    account (person_id) {
        person_id -> BigInt,
        jurisdiction_id -> BigInt,
        login -> Text,
        password -> Nullable<Text>,
        password_at -> Nullable<BigInt>,
        earlier -> Text,
        setup_hash -> Nullable<Binary>,
        setup_until -> Nullable<BigInt>,
        totp -> Nullable<Binary>,
        totp_at -> Nullable<BigInt>,
        totp_step -> BigInt,
        subject -> Nullable<Text>,
        made_at -> BigInt,
    }
}

diesel::table! {
    spot_answer (jurisdiction_id, code, version) {
        jurisdiction_id -> BigInt,
        code -> Text,
        version -> BigInt,
        unit -> Text,
        category -> Text,
        title -> Text,
        body -> Text,
        words -> Text,
        valid_until -> Nullable<BigInt>,
        made_by -> Text,
        made_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    session (hash) {
        hash -> Binary,
        person_id -> BigInt,
        jurisdiction_id -> BigInt,
        began_at -> BigInt,
        used_at -> BigInt,
        until_at -> BigInt,
        factor -> Bool,
        address -> Text,
    }
}

diesel::table! {
    throttle (name) {
        name -> Text,
        failures -> BigInt,
        last_at -> BigInt,
        until_at -> BigInt,
    }
}

diesel::table! {
    audit_entry (jurisdiction_id, seq) {
        jurisdiction_id -> BigInt,
        seq -> BigInt,
        at -> BigInt,
        kind -> Text,
        actor -> Text,
        body -> Text,
        hash -> Binary,
    }
}

diesel::table! {
    checkpoint (number) {
        number -> BigInt,
        at -> BigInt,
        body -> Text,
        signature -> Binary,
        key -> Binary,
    }
}

diesel::table! {
    checkpoint_head (checkpoint, instance_id) {
        checkpoint -> BigInt,
        instance_id -> BigInt,
        seq -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    denial (jurisdiction_id, kind, subject, outcome, hour) {
        jurisdiction_id -> BigInt,
        kind -> Text,
        subject -> Text,
        outcome -> Text,
        hour -> BigInt,
        attempts -> BigInt,
        last_at -> BigInt,
        address -> Text,
    }
}

diesel::table! {
    proposal (id) {
        id -> BigInt,
        jurisdiction_id -> BigInt,
        kind -> Text,
        subject -> Text,
        body -> Text,
        base -> Text,
        made_by -> BigInt,
        made_at -> BigInt,
        until_at -> BigInt,
        state -> Text,
        decided_by -> Nullable<BigInt>,
        decided_at -> Nullable<BigInt>,
    }
}

use super::*;

const VERSION: Option<&str> = Some("1");

fn lease(holder: Option<&str>, seconds: Option<i32>) -> LeaseSpec {
    LeaseSpec {
        holder_identity: holder.map(str::to_owned),
        lease_duration_seconds: seconds,
        lease_transitions: Some(4),
        ..LeaseSpec::default()
    }
}

fn wall(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_793_000_000 + seconds).unwrap()
}

fn follower() -> Election {
    Election::new("me".to_owned())
}

#[test]
fn a_lease_is_taken_if_it_is_free_or_its_holder_is_silent() {
    let start = Instant::now();
    for (spec, seconds, is_taken, why) in [
        (None, 0, true, "as installed"),
        (Some(lease(None, None)), 0, true, "no holder"),
        (Some(lease(Some(""), Some(15))), 0, true, "an unknown state"),
        (Some(lease(Some(""), Some(1))), 0, true, "released"),
        (Some(lease(Some("me"), Some(15))), 0, true, "own"),
        (Some(lease(Some("other"), Some(15))), 14, false, "held"),
        (Some(lease(Some("other"), Some(15))), 15, true, "silent"),
        (
            Some(lease(Some("other"), Some(60))),
            59,
            false,
            "a longer duration",
        ),
        (
            Some(lease(Some("other"), Some(60))),
            60,
            true,
            "silent for longer",
        ),
        (
            Some(lease(Some("other"), Some(1))),
            14,
            false,
            "a short duration counts as 15 s",
        ),
        (Some(lease(Some("other"), None)), 14, false, "no duration"),
        (
            Some(lease(Some("other"), Some(-1))),
            14,
            false,
            "a negative duration",
        ),
    ] {
        let mut election = follower();
        let mut step = election.observe(spec.as_ref(), VERSION, start, wall(0));
        let now = start + Duration::from_secs(seconds);
        if now > start {
            assert_eq!(step, ElectionStep::Wait, "{why}");
            step = election.observe(spec.as_ref(), VERSION, now, wall(0));
        }
        assert_eq!(matches!(step, ElectionStep::Write(_)), is_taken, "{why}");
        assert_eq!(election.may_hold(), is_taken, "{why}");
        assert_eq!(
            election.leads_until(now),
            None,
            "no write is stored yet: {why}"
        );
    }
}

#[test]
fn an_emptied_lease_is_not_taken_while_its_last_holder_may_lead() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let held = lease(Some("other"), Some(15));
    for (found, after, is_taken, why) in [
        (None, 0, false, "recreated"),
        (None, 14, false, "recreated, and its holder may lead"),
        (None, 15, true, "recreated for long enough"),
        (Some(lease(None, None)), 14, false, "without a holder"),
        (
            Some(lease(Some(""), Some(15))),
            14,
            false,
            "emptied by a user",
        ),
        (
            Some(lease(Some(""), Some(15))),
            15,
            true,
            "emptied long ago",
        ),
        (
            Some(lease(Some(""), Some(60))),
            59,
            false,
            "a longer duration",
        ),
        (Some(lease(Some(""), Some(1))), 0, true, "released"),
    ] {
        let mut election = follower();
        election.observe(Some(&held), VERSION, at(0), wall(0));
        election.observe(found.as_ref(), VERSION, at(60), wall(0));
        let step = election.observe(found.as_ref(), VERSION, at(60 + after), wall(0));
        assert_eq!(matches!(step, ElectionStep::Write(_)), is_taken, "{why}");
        assert_eq!(election.may_hold(), is_taken, "{why}");
    }

    // It may have been held in between.
    let mut election = follower();
    election.observe(Some(&held), VERSION, at(0), wall(0));
    for (version, seconds, is_taken) in [("2", 60, false), ("4", 75, false), ("4", 90, true)] {
        let step = election.observe(None, Some(version), at(seconds), wall(0));
        assert_eq!(
            matches!(step, ElectionStep::Write(_)),
            is_taken,
            "{version}"
        );
    }

    // A free one that we failed to take may have had a leader since.
    let mut election = follower();
    assert!(matches!(
        election.observe(None, VERSION, at(0), wall(0)),
        ElectionStep::Write(_)
    ));
    assert_eq!(
        election.observe(None, VERSION, at(14), wall(0)),
        ElectionStep::Wait
    );
}

#[test]
fn a_holder_is_alive_as_long_as_it_changes_the_lease() {
    let mut election = follower();
    let start = Instant::now();
    for round in 0..20_u32 {
        let spec = LeaseSpec {
            renew_time: Some(MicroTime(wall(-3600 + i64::from(round % 2)))),
            ..lease(Some("other"), Some(15))
        };
        let now = start + Duration::from_secs(14) * round;
        let step = election.observe(Some(&spec), VERSION, now, wall(0));
        assert_eq!(
            step,
            ElectionStep::Wait,
            "its clock is an hour slow: {round}"
        );
    }
}

#[test]
fn acquisition_counts_a_transition_and_renewal_does_not() {
    let start = Instant::now();
    let before = LeaseSpec {
        preferred_holder: Some("preferred".to_owned()),
        ..lease(None, Some(60))
    };
    let mut election = follower();
    let ElectionStep::Write(taken) = election.observe(Some(&before), VERSION, start, wall(0))
    else {
        panic!("the Lease is free");
    };
    let expected = LeaseSpec {
        holder_identity: Some("me".to_owned()),
        lease_duration_seconds: Some(15),
        acquire_time: Some(MicroTime(wall(0))),
        renew_time: Some(MicroTime(wall(0))),
        lease_transitions: Some(5),
        ..before
    };
    assert_eq!(taken, expected);
    let step = election.observe(Some(&taken), VERSION, start, wall(2));
    let renewed = LeaseSpec {
        renew_time: Some(MicroTime(wall(2))),
        ..taken
    };
    assert_eq!(step, ElectionStep::Write(renewed));
}

#[test]
fn a_term_ends_ten_seconds_after_the_write_was_sent() {
    let (mut election, sent) = (follower(), Instant::now());
    let at = |seconds: f64| sent + Duration::from_secs_f64(seconds);
    let own = lease(Some("me"), Some(15));
    election.record_stored(Some(&own), sent, at(4.0));
    assert_eq!(election.leads_until(at(9.9)), Some(at(10.0)));
    assert_eq!(election.leads_until(at(10.0)), None);
    assert_eq!(election.next_attempt(at(4.0), 0.5), at(6.0));
    assert_eq!(
        election.next_attempt(at(9.5), 0.5),
        at(10.0),
        "to report the end"
    );

    election.record_stored(Some(&own), sent, at(11.0));
    assert_eq!(
        election.leads_until(at(11.0)),
        None,
        "the response came too late"
    );
}

#[test]
fn a_leader_that_lost_the_lease_does_not_lead() {
    let now = Instant::now();
    for (found, may_hold) in [
        (lease(Some("other"), Some(15)), false),
        (lease(None, None), true),
    ] {
        let mut election = follower();
        election.observe(None, VERSION, now, wall(0));
        election.record_stored(Some(&lease(Some("me"), Some(15))), now, now);
        assert!(election.leads_until(now).is_some());
        election.observe(Some(&found), VERSION, now, wall(0));
        assert_eq!(election.leads_until(now), None, "{found:?}");
        assert_eq!(election.may_hold(), may_hold, "{found:?}");
    }
}

#[test]
fn only_the_own_lease_is_released() {
    let election = follower();
    let own = LeaseSpec {
        acquire_time: Some(MicroTime(wall(0))),
        ..lease(Some("me"), Some(15))
    };
    let expected = LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        renew_time: Some(MicroTime(wall(3))),
        ..own.clone()
    };
    assert_eq!(election.released(Some(&own), wall(3)), Some(expected));
    for other in [
        None,
        Some(lease(None, None)),
        Some(lease(Some("other"), Some(15))),
    ] {
        assert_eq!(
            election.released(other.as_ref(), wall(3)),
            None,
            "{other:?}"
        );
    }
}

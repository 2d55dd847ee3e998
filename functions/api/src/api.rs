//! What the routes need: the vault, what they may start and switch, and whom they obey.

use std::sync::Arc;

use gorgen_engine::{jobs::World, model::RunId};
use gorgen_function::{
    ApiSettings, Failure, Shell,
    control::{JobFunctions, Schedules, StateMachine},
};
use jiff::tz::TimeZone;

use crate::problem::Problem;

/// What each route is given.
pub(crate) type Shared = Arc<Api>;

/// What the routes need. What they start and switch may not be set, where only reading is wanted.
pub(crate) struct Api {
    pub(crate) world: World,
    pub(crate) settings: ApiSettings,
    pub(crate) zone: TimeZone,
    pub(crate) restores: Result<Arc<dyn StateMachine>, Failure>,
    pub(crate) restore_tests: Result<Arc<dyn StateMachine>, Failure>,
    pub(crate) jobs: Result<Arc<dyn JobFunctions>, Failure>,
    pub(crate) schedules: Result<Arc<dyn Schedules>, Failure>,
}

impl Api {
    /// All of it, as the settings say.
    pub(crate) async fn of(shell: &Shell) -> Result<Self, Failure> {
        Ok(Self {
            world: shell.world_without_keys().await?,
            settings: shell.settings().api().clone(),
            zone: shell.settings().timezone(),
            restores: shell.restore_machine().await,
            restore_tests: shell.restore_test_machine().await,
            jobs: shell.job_functions().await,
            schedules: shell.schedules().await,
        })
    }

    /// An id that nothing has yet.
    pub(crate) fn new_id(&self) -> RunId {
        let mut random = [0; 4];
        self.world.entropy.fill(&mut random);
        RunId::new(self.world.clock.now(), random)
    }

    pub(crate) fn restores(&self) -> Result<&dyn StateMachine, Problem> {
        had(self.restores.as_deref(), "the state machine of restores")
    }

    pub(crate) fn restore_tests(&self) -> Result<&dyn StateMachine, Problem> {
        had(self.restore_tests.as_deref(), "the state machine of restore tests")
    }

    pub(crate) fn jobs(&self) -> Result<&dyn JobFunctions, Problem> {
        had(self.jobs.as_deref(), "the functions of the jobs")
    }

    pub(crate) fn schedules(&self) -> Result<&dyn Schedules, Problem> {
        had(self.schedules.as_deref(), "the schedules")
    }
}

fn had<T>(port: Result<T, &Failure>, what: &str) -> Result<T, Problem> {
    port.map_err(|failure| {
        failure.log();
        Problem::failed(failure, what)
    })
}

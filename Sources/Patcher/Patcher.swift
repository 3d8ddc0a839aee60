/// The patcher makes a Linux guest boot on another hypervisor. It reads a guest, resolves every device name in
/// its configuration, and lays out a plan; it writes nothing. A caller goes through four steps:
///
/// 1. `GuestFinder.survey(volumes:fileSystems:diskCount:presentation:)` finds the guests among the volumes of the
///    given disks. `fileSystems` holds, by the volume's index, every file system that can be read. Each `Guest`
///    comes with its tree (`guest.tree`, a `FileSystemTree` over its mounts: what `ls` and `cat` show), its release,
///    mounts, boot entries and the device names in its files. `Survey.findings` tells what was seen besides.
/// 2. `Planner.plan(guest, PlanRequest(target:…))` gives a `Plan`: `actions`, `references`, `advice`, a verdict per
///    kernel entry, and `refusal` when nothing must be written. All of it is plain data.
/// 3. The caller prepares the actions on the volumes' file systems: for an `edit`, the file `file.id` of volume
///    `file.volume` must hold exactly `expected` and gets `contents`.
/// 4. To verify, survey and plan again over the patched volumes: the second plan has no actions.
///
/// `Guest.description` and `Guest.defaultEntries` say more of a guest for people; `Survey.windowsVerdict` what a
/// Windows beside or instead of it would meet. An action that makes, renames or removes a name gives the directory in
/// `Action.directory`. `PlanRequest.usesFallbackInitramfs` is `--drivers fallback`.
/// `PlanText.text(of:)` is the plan for people: a unified diff with reasons, advice and verdicts.
/// `SourcePresentation` carries `--from` and `--map`; `Target.all` and `Controller` the words of `--to` and
/// `--controller`; `NamingPolicy` and `Repair` those of `--names`, `--only`, `--skip` and `--fix`.
package enum Patcher {
    /// Plans every guest of a survey.
    package static func plans(_ survey: Survey, _ request: PlanRequest) -> [Plan] {
        survey.guests.map { Planner.plan($0, request) }
    }
}

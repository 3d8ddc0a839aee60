/// What a plan is asked for.
package struct PlanRequest: Sendable {
    /// The target.
    package var target: Target
    /// The controller; nil for the first of the target's that the guest drives.
    package var controller: Controller?
    /// How names are replaced.
    package var names: NamingPolicy
    /// The repairs to make; nil for all of them that need no asking.
    package var only: Set<Repair>?
    /// Repairs not to make.
    package var skip: Set<Repair>
    /// Repairs that are advice unless asked for.
    package var fix: Set<Repair>
    /// Where drivers come from that the default initramfs has not.
    package var drivers = DriverSource.auto
    /// A loader is put where a machine without boot entries looks for it.
    package var addsFallbackLoader = true
    /// What the source's machine started by, where that was stated: the choice where the disks start by both.
    package var sourceFirmware: MachineNeeds.Firmware?
    /// The addresses that cards have on the target.
    package var addresses: [AddressStatement] = []

    /// Asks for a plan.
    package init(
        target: Target, controller: Controller? = nil, names: NamingPolicy = .uuid, only: Set<Repair>? = nil,
        skip: Set<Repair> = [], fix: Set<Repair> = []
    ) {
        self.target = target
        self.controller = controller
        self.names = names
        self.only = only
        self.skip = skip
        self.fix = fix
    }

    /// Whether a repair is to be made.
    package func wants(_ repair: Repair) -> Bool {
        if skip.contains(repair) || repair.needsAsking && !fix.contains(repair) { return false }
        return only?.contains(repair) ?? true
    }
}

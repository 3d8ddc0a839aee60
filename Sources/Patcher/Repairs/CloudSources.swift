internal import Storage

/// cloud-init asks the sources that it is told of, and no others: where none of them is the target's, the machine waits for
/// them, and gets no address, no name and no keys.
enum CloudSources: PlanStep {
    static let repair = Repair.settings
    static let reads: [any ConfigurationSyntax.Type] = [CloudInitConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        // The files are read in the order of their names, and the last one wins.
        let lists = draft.guest.files(CloudInitConfiguration.self).filter { $0.syntax.sources != nil }
        guard let last = lists.last, let sources = last.syntax.sources else { return }
        let own = names(on: draft.hypervisor)
        guard sources != ["None"], !sources.contains(where: own.contains) else { return }
        let list = sources.joined(separator: ", ")
        let message: Sentence =
            sources.isEmpty
            ? "datasource_list is empty: cloud-init asks nobody (no network, no name, no keys); add \(own.first ?? "None"), or None"
            : sources.contains("None")
                ? "datasource_list is \(list): on \(draft.hypervisor.title) cloud-init gets nothing from any of them (no network, no name, no keys); add \(own.first ?? "NoCloud") where the machine is to get such"
                : "datasource_list is \(list), none of which is there on \(draft.hypervisor.title): cloud-init would look for them in vain; add \(own.first ?? "None"), or None"
        draft.advise(.settings, last.file, message, isMinor: true)
    }

    /// What cloud-init calls the source that a hypervisor's machines have; a disk or CD with its data can be
    /// given to any machine whose owner makes it.
    private static func names(on hypervisor: Hypervisor) -> [String] {
        switch hypervisor {
        case .azure: ["Azure"]
        case .aws: ["Ec2"]
        case .gcp: ["GCE"]
        case .vmware: ["VMware", "OVF", "NoCloud", "ConfigDrive"]
        case .kvm, .xenserver: ["NoCloud", "ConfigDrive", "OpenStack", "CloudStack", "OpenNebula"]
        case .hyperv, .virtualbox, .parallels: ["NoCloud", "ConfigDrive"]
        }
    }
}

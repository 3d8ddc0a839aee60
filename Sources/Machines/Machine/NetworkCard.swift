extension Machine {
    /// A network card of a machine.
    package struct NetworkCard: Sendable, Equatable {
        /// What it is, in the description's own word ("VmxNet3", "virtio").
        package var model: String?
        /// Its address, `00:50:56:aa:bb:01`; nil where the hypervisor makes one up.
        package var address: String?
        /// The network, bridge or port group that it is plugged into.
        package var network: String?
        /// Whether it is plugged in when the machine is started.
        package var isConnected = true

        /// Makes a card.
        package init(model: String? = nil, address: String? = nil, network: String? = nil) {
            self.model = model
            self.address = address
            self.network = network
        }
    }
}

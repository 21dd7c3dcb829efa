"""What scores answers, made into what else can use it: a judge as a gate; gates, metrics and judges as rewards."""
